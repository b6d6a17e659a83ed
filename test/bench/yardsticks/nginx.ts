/** Yardstick: `return 307` of nginx with one process, if nginx is installed. */
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../../../apps/stack/processes/free-port.ts'
import { cleanUpLater } from '../../support/clean-up.ts'
import { endWithUs } from '../../support/run.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { waitUntil } from '../../support/wait-until.ts'

export function nginxVersion(): string | undefined {
  const { stderr, error } = spawnSync('nginx', ['-v'], { encoding: 'utf8' })
  return error === undefined ? /nginx\/(\S+)/.exec(stderr)?.[1] : undefined
}

export async function startNginx(): Promise<{ origin: string; pid: number }> {
  const folder = temporaryFolder()
  const port = await freePort()
  const configuration = join(folder, 'nginx.conf')
  mkdirSync(join(folder, 'temp'))
  writeFileSync(configuration, configurationFor(port, folder))
  const child = spawn('nginx', ['-p', folder, '-e', join(folder, 'error.log'), '-c', configuration], {
    stdio: 'ignore',
  })
  const { pid } = child
  if (pid === undefined) throw new Error('nginx could not be started')
  endWithUs(pid)
  const exited = new Promise<void>(resolve => child.once('exit', () => resolve()))
  cleanUpLater(async () => {
    child.kill('SIGQUIT')
    child.kill('SIGTERM')
    await exited
  })
  const origin = `http://127.0.0.1:${port}`
  await waitUntil(async () => (await fetch(origin, { redirect: 'manual' })).status === 307, {
    what: 'nginx responds',
  })
  return { origin, pid }
}

function configurationFor(port: number, folder: string): string {
  const temporaryPaths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map(name => `${name}_temp_path ${join(folder, 'temp', name)};`)
    .join('\n  ')
  return `daemon off;
master_process off;
worker_processes 1;
pid ${join(folder, 'nginx.pid')};
events { worker_connections 1024; }
http {
  ${temporaryPaths}
  access_log off;
  keepalive_requests 1000000000;
  server {
    listen 127.0.0.1:${port};
    add_header Cache-Control "private, no-store" always;
    return 307 https://www.example.com/articles/1/how-it-began;
  }
}
`
}
