import type { Page } from 'playwright-core'

export interface Contrast {
  what: string
  contrast: number
}

/** How clearly each control of the page and its focus ring stand out from what is around them. */
export function contrastsOfControls(page: Page): Promise<Contrast[]> {
  return page.evaluate<Contrast[]>(`(() => {
    ${measuring}
    ${controls}
  })()`)
}

/** Of colors that things are drawn in, on each ground that these may lie on. */
export function contrastsOfTokens(page: Page, drawn: string[], grounds: string[]): Promise<Contrast[]> {
  return page.evaluate<Contrast[]>(`(() => {
    ${measuring}
    const probe = document.body.appendChild(document.createElement('i'))
    const resolve = token => {
      probe.style.color = 'var(' + token + ')'
      return getComputedStyle(probe).color
    }
    const found = ${JSON.stringify(drawn)}.flatMap(token => ${JSON.stringify(grounds)}.map(ground =>
      ({ what: token + ' on ' + ground, contrast: contrastOf(resolve(token), [resolve(ground)]) })))
    probe.remove()
    return found
  })()`)
}

/** Controls of which a point within 12 px of the middle belongs to something else. Links in a sentence are as high as its lines. */
export function smallTargetsOf(page: Page): Promise<string[]> {
  return page.evaluate<string[]>(`(() => {
    ${targets}
  })()`)
}

/** Where the system forces its colors: drawings that are hardly seen, and states that only a background would show. */
export function unmarkedOf(page: Page): Promise<string[]> {
  return page.evaluate<string[]>(`(() => {
    ${measuring}
    const outer = ({ outerHTML }) => outerHTML.slice(0, 200)
    const drawn = [...document.querySelectorAll('.time-chart path:not(.area), .sparkline polyline')]
      .filter(shape => contrastOf(getComputedStyle(shape).stroke, [getComputedStyle(document.documentElement).backgroundColor]) < 3)
    const states = [...document.querySelectorAll('.state, .tag, .choice :checked + span, .views [aria-current]')]
      .filter(element => {
        const { borderBlockEndWidth, outlineStyle } = getComputedStyle(element)
        return borderBlockEndWidth === '0px' && outlineStyle === 'none'
      })
    return [...drawn, ...states].map(outer)
  })()`)
}

/** What moves although the reader asked for no motion. */
export function movingOf(page: Page): Promise<string[]> {
  return page.evaluate<string[]>(`
    [...document.querySelectorAll('*')].filter(element =>
      [undefined, '::before', '::after'].map(part => getComputedStyle(element, part)).some(({ animationName, transitionDuration }) =>
        animationName !== 'none' || parseFloat(transitionDuration) > 0)
    ).map(({ outerHTML }) => outerHTML.slice(0, 200))`)
}

const measuring = `
  const painter = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true })
  const known = new Map()
  const luminance = colors => {
    const key = colors.join()
    if (!known.has(key)) known.set(key, measure(colors))
    return known.get(key)
  }
  const measure = colors => {
    painter.clearRect(0, 0, 1, 1)
    for (const color of colors) {
      painter.fillStyle = color
      painter.fillRect(0, 0, 1, 1)
    }
    const [red, green, blue] = [...painter.getImageData(0, 0, 1, 1).data]
      .map(value => value / 255)
      .map(value => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
  }
  const contrastOf = (color, ground) => {
    const both = [luminance([...ground, color]), luminance(ground)]
    return Math.round(100 * (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05)) / 100
  }`

const controls = `
  const groundOf = element => element === null ? [] : [...groundOf(element.parentElement), getComputedStyle(element).backgroundColor]
  const all = [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"]')]
    .filter(element => element.checkVisibility() && !element.matches(':disabled, .skip'))
  const found = []
  for (const element of all) {
    const what = element.localName + ' ' + (element.getAttribute('aria-label') ?? (element.textContent.trim() || element.id))
    const around = groundOf(element.parentElement)
    const shape = element.matches('[type="radio"]') ? element.nextElementSibling : element
    const { backgroundColor, borderBlockEndColor, borderBlockEndWidth, color } = getComputedStyle(shape)
    const isBox = element.matches('input:not([type="radio"]), select, textarea, .button, button:not(.icon, .quiet, .value, .tag, [role])')
    if (isBox || element.matches('[type="radio"]:checked')) {
      const border = borderBlockEndWidth === '0px' ? 0 : contrastOf(borderBlockEndColor, around)
      // The browser draws a checkbox.
      if (!element.matches('[type="checkbox"]'))
        found.push({ what, contrast: Math.max(border, contrastOf(backgroundColor, around)) })
    } else found.push({ what, contrast: contrastOf(color, groundOf(shape)) })
    element.focus({ focusVisible: true })
    const ring = [undefined, '::after'].map(part => getComputedStyle(shape, part)).find(({ outlineStyle }) => outlineStyle !== 'none')
    found.push({ what: 'focus of ' + what, contrast: ring ? contrastOf(ring.outlineColor, around) : 0 })
  }
  return found`

const targets = `
  const small = []
  for (const element of document.querySelectorAll('a[href], button, input, select, textarea, summary')) {
    if (!element.checkVisibility() || element.matches('.skip') || getComputedStyle(element).pointerEvents === 'none') continue
    const text = element.textContent.trim()
    if (getComputedStyle(element).display === 'inline' && element.closest('p')?.textContent.trim().length > text.length) continue
    const target = element.matches('[type="radio"], [type="checkbox"]') ? element.closest('label') : element
    target.scrollIntoView({ block: 'center', inline: 'center', behavior: 'instant' })
    const { left, right, top, bottom } = target.getBoundingClientRect()
    const [x, y] = [(left + right) / 2, (top + bottom) / 2]
    const points = [[x, y - 11.5], [x, y + 11.5], [x - 11.5, y], [x + 11.5, y]]
    if (!points.every(point => target.contains(document.elementFromPoint(...point))))
      small.push(element.localName + ' ' + (element.getAttribute('aria-label') ?? text) + ' ' + Math.round(right - left) + '×' + Math.round(bottom - top))
  }
  return small`
