/** Random bytes from OpenSSL's generator, which the kernel seeds. */
export { randomBytes } from 'node:crypto'
