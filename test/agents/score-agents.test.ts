import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../support/temporary-folder.ts'

const header = 'class\tbrowser\tos\tdevice\tsource\tuser_agent'
const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0'
const rows = [
  `human\tFirefox\tUbuntu\tdesktop\ttest\t${firefox}`,
  `human\tMobile Safari\tGNU/Linux\ttv\ttest\t${firefox}`,
  'bot\t\t\t\ttest\tcurl/8.9.1',
  `bot\t\t\t\ttest\t${firefox}`,
  'preview\t\t\t\ttest\tTwitterbot/1.0',
]

function score(lines: string[], ...goals: string[]) {
  const file = join(temporaryFolder(), 'agents.tsv')
  writeFileSync(file, `${lines.join('\n')}\n`)
  const args = ['test/agents/score-agents.ts', file, ...goals.flatMap(goal => ['--goal', goal])]
  return spawnSync(process.execPath, args, { encoding: 'utf8' })
}

test('a labelled list is scored by families, with what is confused', () => {
  const { stdout, stderr, status } = score([header, ...rows])
  const table = stdout
    .split('\n')
    .slice(1, 8)
    .map(line => line.trim().split(/ {2,}/))
  expect(table).toEqual([
    ['bots', '3', '2', '66.67', 'automatic → human 1'],
    ['humans', '2', '2', '100.00'],
    ['previews', '1', '1', '100.00'],
    ['browser', '2', '1', '50.00', 'Safari → Firefox 1'],
    ['system', '2', '2', '100.00'],
    ['device', '2', '1', '50.00', 'tv → desktop 1'],
    ['television', '1', '0', '0.00', 'tv → desktop 1'],
  ])
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 })
})

test('a goal that is missed is named, and ends the command with 1', () => {
  expect(score([header, ...rows], 'bots=66', 'humans=100').status).toBe(0)
  const { stderr, status } = score([header, ...rows], 'bots=66', 'browser=98')
  expect({ stderr, status }).toEqual({ stderr: 'missed: browser 50.00 % of 98 %\n', status: 1 })
})

test.each([
  [['no header', ...rows], 'bots=1', 'its header must be'],
  [[header, ...rows], 'speed=1', 'not NAME=PERCENT'],
  [[header, ...rows], 'bots=101', 'not NAME=PERCENT'],
])('%j with the goal %s is refused: %s', (lines, goal, reason) => {
  const { stderr, status } = score(lines, goal)
  expect(stderr).toContain(reason)
  expect(status).toBe(2)
})
