/**
 * One client on standard input and output, as p11-kit's `remote: |softoki serve --stdio` starts it.
 * It is handed on to the service, since two processes with the same tokens would not learn of each
 * other's changes. A service that is started for it leaves with its last client.
 */
import type { Environment } from './home.ts'
import { connectToService } from './start.ts'

/** Resolves when the client or the service is gone. */
export async function serveStdio(env: Environment = process.env): Promise<void> {
  const { stdin, stdout } = process
  const socket = await connectToService(env, { linger: 0 })
  const end = () => void socket.destroy()
  socket.on('error', end)
  stdin.on('end', end).on('error', end).pipe(socket, { end: false })
  stdout.on('error', end)
  socket.pipe(stdout, { end: false })
  await new Promise((resolve) => socket.once('close', resolve))
  stdin.destroy()
}
