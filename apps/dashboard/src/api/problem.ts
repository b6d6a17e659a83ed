/** What the API answers when it can't do what was asked (RFC 9457), or what is wrong on the way to it. */
export interface Problem {
  status: number
  detail: string
  /** Of single fields: the field's name, and a sentence. */
  fields: { name: string; detail: string }[]
  /** Of a range that is too long for filters: where raw visits begin. */
  earliest?: string | undefined
}

/** Status 0: nobody has answered. */
export const unreachable: Problem = { status: 0, detail: 'The server can’t be reached.', fields: [] }

export async function readProblem(response: Response): Promise<Problem> {
  try {
    const document = (await response.json()) as {
      detail?: string
      errors?: { pointer: string; detail: string }[]
      earliest?: string
    }
    return {
      status: response.status,
      detail: document.detail ?? `The server answered ${response.status}.`,
      fields: (document.errors ?? []).map(({ pointer, detail }) => ({
        name: pointer.replace(/^#?\//, ''),
        detail,
      })),
      earliest: document.earliest,
    }
  } catch {
    // A proxy in between answers in its own words.
    return { status: response.status, detail: `The server answered ${response.status}.`, fields: [] }
  }
}

/** True where asking the same again gives the same answer: what was asked for is impossible. */
export function isRefusal({ status }: Problem): boolean {
  return status >= 400 && status < 500 && status !== 429
}
