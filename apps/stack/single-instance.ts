/**
 * One launcher per data folder. The lock is a listening Unix socket named after the folder: it is released when its
 * process ends, however it ends. The name is a hash, because a socket's path has at most 107 bytes. On Linux the name is
 * abstract (unix(7)), so no file is left behind.
 */
import { createHash } from 'node:crypto'
import { realpathSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Held until this process ends. Throws if another launcher runs on the folder. */
export async function lockFolder(folder: string): Promise<void> {
  const name = `hopcount-${createHash('sha256').update(realpathSync(folder)).digest('hex').slice(0, 32)}`
  const path = process.platform === 'linux' ? `\0${name}` : join(tmpdir(), name)
  if (await listen(path)) return
  const holder = await queryHolder(path)
  if (holder !== undefined)
    throw new Error(`Hopcount runs already on ${folder} (process ${holder}): stop that one first`)
  // No response: the socket file of a process that crashed.
  if (process.platform !== 'linux') rmSync(path, { force: true })
  if (!(await listen(path))) throw new Error(`Hopcount runs already on ${folder}`)
}

/** False if the name is taken. Clients that connect receive this process's id. */
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

function queryHolder(path: string): Promise<string | undefined> {
  return new Promise(resolve => {
    let response = ''
    const socket = connect(path).setEncoding('utf8').setTimeout(2_000)
    socket.on('data', text => {
      response += text
    })
    socket.once('end', () => resolve(response))
    // A suspended holder (SIGSTOP) does not respond, but still holds the folder.
    socket.once('timeout', () => {
      socket.destroy()
      resolve('unknown')
    })
    socket.once('error', () => resolve(undefined))
  })
}
