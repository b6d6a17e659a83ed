import type { Page } from 'playwright-core'

/**
 * What doesn't fit: a window that scrolls sideways, numbers that wrap, are cut off or overlap other text, and text that is
 * cut off without an ellipsis. Of a dialog alone, if one is open.
 */
export async function layoutFaults(page: Page): Promise<string[]> {
  return page.evaluate<string[]>(`(${findFaults})()`)
}

/** Runs in the page. */
const findFaults = String.raw`() => {
  const faults = []
  const { scrollWidth, clientWidth } = document.documentElement
  if (scrollWidth > clientWidth) faults.push('the page is ' + (scrollWidth - clientWidth) + ' px too wide')
  const top = document.querySelector('dialog[open]') ?? document.body

  const isHidden = element => {
    if (!element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) return true
    for (let at = element; at !== null; at = at.parentElement) {
      if (getComputedStyle(at).clipPath !== 'none') return true
      if (at !== top && at.localName === 'dialog') return true
    }
    return false
  }
  /** The part of a box that its ancestors let through; in reach: after scrolling up and down in them, too. */
  const clipped = (box, element, inReach) => {
    let { left, right, top, bottom } = box
    for (let at = element; at !== null && at !== document.body; at = at.parentElement) {
      const style = getComputedStyle(at)
      if (style.position === 'fixed') break
      const outer = at.getBoundingClientRect()
      if (style.overflowX !== 'visible') { left = Math.max(left, outer.left); right = Math.min(right, outer.right) }
      if (style.overflowY !== 'visible' && !(inReach && /auto|scroll/.test(style.overflowY))) { top = Math.max(top, outer.top); bottom = Math.min(bottom, outer.bottom) }
    }
    return { left, right, top, bottom }
  }
  const isOneNumber = text => /^[+−▲▼±×<]?\s*[\d.,]*\d[\d.,]*\s?[KMBT%]?$/.test(text)
  const shows = text => '“' + (text.length > 40 ? text.slice(0, 40) + '…' : text) + '”'

  /** Menus and hints lie on top. */
  const layerOf = element => element.closest('.time-chart-hint, .menu-body, [role=menu]')

  const boxes = []
  const walker = document.createTreeWalker(top, NodeFilter.SHOW_TEXT)
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const text = node.data.trim()
    const element = node.parentElement
    if (element !== null && element.parentElement?.matches('.count') && isHidden(element)) {
      const rect = element.parentElement.getBoundingClientRect()
      boxes.push({ text, element, left: rect.left, right: rect.right, top: rect.top + rect.height / 4, bottom: rect.bottom - rect.height / 4 })
    }
    if (text === '' || element === null || /^(script|style|title|option)$/i.test(element.localName) || isHidden(element)) continue
    const range = document.createRange()
    range.selectNodeContents(node)
    const rects = [...range.getClientRects()].filter(rect => rect.width > 0.5)
    const isNumber = isOneNumber(text)
    if (isNumber && new Set(rects.map(rect => Math.round(rect.top))).size > 1) faults.push(shows(text) + ' wraps')
    const card = element.closest('.card, .banner, dialog')
    const cardStyle = card && getComputedStyle(card)
    const room = card && card.getBoundingClientRect().right - Number.parseFloat(cardStyle.paddingRight) - Number.parseFloat(cardStyle.borderRightWidth)
    for (const rect of rects) {
      if (room !== null && clipped(rect, element, false).right > room + 1.5) faults.push(shows(text) + ' reaches into the padding of its card')
      const seen = clipped(rect, element, false)
      const inReach = clipped(rect, element, true)
      const style = getComputedStyle(element)
      const isShortened = style.textOverflow === 'ellipsis' || element.closest('[data-clamped], bdi, .user-agent') !== null
      const isCut = inReach.right - inReach.left < rect.width - 1.5 || inReach.bottom - inReach.top < rect.height * 0.5
      if (isCut && (isNumber || !isShortened)) faults.push(shows(text) + ' is cut off')
      if (rect.left < -1 || rect.right > clientWidth + 1) {
        if (seen.left < -1 || seen.right > clientWidth + 1) faults.push(shows(text) + ' is outside of the window')
      }
      // Lines of different font sizes have boxes that touch: their middle is what is seen.
      const trim = (seen.bottom - seen.top) * 0.25
      if (seen.right - seen.left > 1 && seen.bottom - seen.top > 1)
        boxes.push({ text, element, left: seen.left + 0.5, right: seen.right - 0.5, top: seen.top + trim, bottom: seen.bottom - trim })
    }
  }
  boxes.sort((a, b) => a.top - b.top)
  for (let i = 0; i < boxes.length; i++)
    for (let j = i + 1; j < boxes.length && boxes[j].top < boxes[i].bottom; j++) {
      const [a, b] = [boxes[i], boxes[j]]
      if (a.element !== b.element && layerOf(a.element) === layerOf(b.element) && a.left < b.right && b.left < a.right && b.bottom > a.top)
        faults.push(shows(a.text) + ' overlaps ' + shows(b.text))
    }

  for (const element of top.querySelectorAll('select, button, .button, input:not([type])')) {
    if (isHidden(element)) continue
    if (element.localName !== 'input' && element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).textOverflow !== 'ellipsis')
      faults.push(shows(element.textContent.trim()) + ' is wider than its control')
  }
  return [...new Set(faults)]
}`
