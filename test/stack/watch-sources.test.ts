import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { freePort } from '../../apps/stack/processes/free-port.ts'
import { superviseProcess } from '../../apps/stack/processes/supervised-process.ts'
import { watchSources } from '../../apps/stack/watch-sources.ts'
import { cleanUpLater } from '../support/clean-up.ts'
import { endWithUs } from '../support/run.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { waitUntil } from '../support/wait-until.ts'

const serverAnswering = (text: string) =>
  `import { createServer } from 'node:http'
   createServer((_, response) => response.end('${text}')).listen(Number(process.env.PORT), '127.0.0.1')`

it('a program is restarted with changed sources, even after a version that could not run', async () => {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'routes'))
  const script = join(folder, 'server.mts')
  const source = join(folder, 'routes', 'answer.ts')
  writeFileSync(script, `await import('./routes/answer.ts')`)
  writeFileSync(source, serverAnswering('one'))
  const port = String(await freePort())
  const child = superviseProcess({
    name: 'server',
    script,
    nodeOptions: [],
    environment: { ...process.env, PORT: port },
    onSpawn: endWithUs,
    onRestart: () => {},
    restarts: () => true,
  })
  cleanUpLater(() => child.stop(1_000))
  const answers = (text: string) =>
    waitUntil(async () => (await (await fetch(`http://127.0.0.1:${port}`)).text()) === text, {
      what: `the answer is ${text}`,
    })
  await answers('one')

  const changed: string[] = []
  const watch = watchSources([folder], file => {
    changed.push(file)
    void child.restart(1_000)
  })
  cleanUpLater(() => watch.close())
  writeFileSync(source, serverAnswering('two'))
  await answers('two')
  writeFileSync(join(folder, 'notes.md'), 'not a source')
  writeFileSync(source, 'this is no program')
  await waitUntil(
    () =>
      fetch(`http://127.0.0.1:${port}`).then(
        () => false,
        () => true,
      ),
    { what: 'it is down' },
  )
  writeFileSync(source, serverAnswering('three'))
  await answers('three')
  expect(new Set(changed)).toEqual(new Set(['routes/answer.ts']))
})
