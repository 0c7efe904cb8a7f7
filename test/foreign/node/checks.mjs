/** Runs checks by their names in turn and prints a line of JSON for each; an exception ends the program. */
export async function runChecks(checks) {
  for (const [name, work] of Object.entries(checks)) {
    await work()
    console.log(JSON.stringify({ [name]: true }))
  }
}
