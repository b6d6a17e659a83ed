const whole = new Intl.NumberFormat('en')

export function number(value: number): string {
  return whole.format(value)
}

export function visits(count: number): string {
  return `${whole.format(count)} ${count === 1 ? 'visit' : 'visits'}`
}
