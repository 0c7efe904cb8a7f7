/** Starts a process that computes for minutes, and tells who that is; binding.test.ts kills this one. */
import { fork } from 'node:child_process'

fork(new URL('./long-worker.ts', import.meta.url)).on('message', (pid) => process.send?.(pid))
