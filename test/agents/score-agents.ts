/**
 * `npm run score:agents -- FILE [--goal bots=99.5 …]`: scores the describing of user agents against a list of labelled
 * ones, and exits 1 where a goal is missed. FILE has the columns class, browser, os, device, source, user_agent.
 */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { Measure, Score } from './score.ts'
import { measureDescriptions, measures, readLabelledAgents, rightShare, scoreAgents } from './score.ts'

const usage = `usage: npm run score:agents -- FILE [--goal ${measures[0]}=99.5 …]; goals: ${measures.join(', ')}`
const confusionsShown = 5

process.exitCode = main()

function main(): number {
  try {
    const { values, positionals } = parseArgs({
      options: { goal: { type: 'string', multiple: true, default: [] } },
      allowPositionals: true,
    })
    const [file] = positionals
    if (file === undefined || positionals.length > 1) throw new Error(usage)
    const goals = readGoals(values.goal)
    const scores = scoreAgents(readLabelledAgents(readFileSync(file, 'utf8')))
    for (const line of tableLines(scores, goals)) console.log(line)
    const missed = [...goals].filter(([measure, goal]) => rightShare(scores[measure]) < goal)
    for (const [measure, goal] of missed)
      console.error(`missed: ${measure} ${rightShare(scores[measure]).toFixed(2)} % of ${goal} %`)
    return missed.length > 0 ? 1 : 0
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    return 2
  }
}

function readGoals(texts: string[]): Map<Measure, number> {
  const goals = new Map<Measure, number>()
  for (const text of texts) {
    const [name, percent = ''] = text.split('=')
    const measure = measures.find(known => known === name)
    if (measure === undefined || percent === '' || !(Number(percent) >= 0 && Number(percent) <= 100))
      throw new Error(`--goal ${text}: not NAME=PERCENT\n${usage}`)
    goals.set(measure, Number(percent))
  }
  return goals
}

function tableLines(scores: Record<Measure, Score>, goals: Map<Measure, number>): string[] {
  const lines = [
    '                rows    right        %   goal  worst confusions (families: test/agents/name-families.ts)',
  ]
  for (const measure of measures) {
    const score = scores[measure]
    const worst = [...score.confusions].sort(([, a], [, b]) => b - a).slice(0, confusionsShown)
    lines.push(
      [
        measure.padEnd(12),
        String(score.rows).padStart(8),
        String(score.right).padStart(8),
        rightShare(score).toFixed(2).padStart(8),
        String(goals.get(measure) ?? '').padStart(6),
        ` ${worst.map(([what, count]) => `${what} ${count}`).join('; ')}`,
      ].join(' '),
    )
  }
  lines.push('', ...measures.map(measure => `${measure}: ${measureDescriptions[measure]}`))
  return lines
}
