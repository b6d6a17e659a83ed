import type { ProblemDocument } from '../../../api/errors/problem-schema.ts'

/** Why a request failed: a problem reported by the API (RFC 9457), or one on the way to it. */
export interface Problem {
  status: number
  detail: string
  /** Problems with single fields. */
  fields: { name: string; detail: string }[]
  /** For a range that is too long for filters: the first day of raw visits. */
  earliest?: string | undefined
}

/** Status 0: there was no response. */
export const unreachable: Problem = { status: 0, detail: 'The server can’t be reached.', fields: [] }

export async function readProblem(response: Response): Promise<Problem> {
  try {
    const document = (await response.json()) as Partial<ProblemDocument>
    return {
      status: response.status,
      detail: document.detail ?? `The server responded with status ${response.status}.`,
      fields: (document.errors ?? []).map(({ pointer, detail }) => ({
        name: pointer.replace(/^#?\//, ''),
        detail,
      })),
      earliest: document.earliest,
    }
  } catch {
    // A proxy in between responded in a format of its own.
    return {
      status: response.status,
      detail: `The server responded with status ${response.status}.`,
      fields: [],
    }
  }
}

/** True if the same request would fail again, because it is impossible. */
export function isRefusal({ status }: Problem): boolean {
  return status >= 400 && status < 500 && status !== 429
}
