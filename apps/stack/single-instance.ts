/**
 * One launcher per data folder. The lock is a listening unix socket that is named after the folder: it ends with its
 * process, however that ends, and being named by a hash it is short enough for a socket's path (107 bytes) wherever
 * the folder lies. On Linux the name is abstract (unix(7)), so there is no file to be left behind.
 */
import { createHash } from 'node:crypto'
import { realpathSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Held until this process ends. Throws where another launcher runs on the folder. */
export async function lockFolder(folder: string): Promise<void> {
  const name = `hopcount-${createHash('sha256').update(realpathSync(folder)).digest('hex').slice(0, 32)}`
  const path = process.platform === 'linux' ? `\0${name}` : join(tmpdir(), name)
  if (await listen(path)) return
  const holder = await askHolder(path)
  if (holder !== undefined)
    throw new Error(`Hopcount runs already on ${folder} (process ${holder}): stop that one first`)
  // Nobody answers: the file of a socket whose process has crashed.
  if (process.platform !== 'linux') rmSync(path, { force: true })
  if (!(await listen(path))) throw new Error(`Hopcount runs already on ${folder}`)
}

/** False where the name is taken. Who connects is told this process's id. */
function listen(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer(socket => {
      socket.on('error', () => {})
      socket.end(String(process.pid))
    })
    server.once('error', error => {
      if ('code' in error && error.code === 'EADDRINUSE') resolve(false)
      else reject(error)
    })
    server.listen(path, () => resolve(true))
    server.unref()
  })
}

function askHolder(path: string): Promise<string | undefined> {
  return new Promise(resolve => {
    let answer = ''
    const socket = connect(path).setEncoding('utf8').setTimeout(2_000)
    socket.on('data', text => {
      answer += text
    })
    socket.once('end', () => resolve(answer))
    // A holder that is stopped (SIGSTOP) does not answer, and holds the folder all the same.
    socket.once('timeout', () => {
      socket.destroy()
      resolve('unknown')
    })
    socket.once('error', () => resolve(undefined))
  })
}
