import { useLayoutEffect, useState } from 'preact/hooks'
import type { Measured } from './chart-layout.ts'

/** The width of a drawing, and of texts on it; undefined until it is on the page. `probe` is a text that isn't seen. */
export function useMeasured(probe: { current: SVGTextElement | null }): Measured | undefined {
  const [measured, setMeasured] = useState<Measured>()
  useLayoutEffect(() => {
    const text = probe.current
    const drawing = text?.ownerSVGElement
    if (!text || !drawing) return
    const measure = () => {
      const widths = new Map<string, number>()
      const textWidth = (content: string) => {
        const known = widths.get(content)
        if (known !== undefined) return known
        text.textContent = content
        const width = text.getComputedTextLength()
        text.textContent = ''
        widths.set(content, width)
        return width
      }
      const fontSize = Number.parseFloat(getComputedStyle(text).fontSize)
      setMeasured({ width: Math.max(1, drawing.clientWidth), fontSize, textWidth })
    }
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(drawing)
    return () => observer.disconnect()
  }, [])
  return measured
}
