/** QR codes for print: every file that the page writes is decoded again. */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { Locator, Page } from 'playwright-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { shorten } from '../support/hopcount.ts'
import { browserAvailable } from './chromium.ts'
import { openPage, overflowOf, phone } from './open-page.ts'
import type { RunningDashboard } from './running-dashboard.ts'
import { startDashboard } from './running-dashboard.ts'

const host = 'kurze-verweise.bücher-und-zeitschriften-aus-aller-welt.example'
const publicUrl = new URL(`https://${host}`).origin
const longSlug = `Sommer_${'aB3-'.repeat(14)}x`

interface Decoded {
  text: string | undefined
  level: string | undefined
  /** In pixels; equal on all sides. */
  quietZone: number
  pixelsPerModule: number
  side: number
  colors: string[]
}

describe.skipIf(!browserAvailable())('a QR code', () => {
  let dashboard: RunningDashboard
  let decoder: Page
  beforeAll(async () => {
    dashboard = await startDashboard({ worker: false, env: { PUBLIC_URL: `https://${host}` } })
    for (const slug of ['a', longSlug]) await shorten(dashboard.origin, { slug })
    decoder = await dashboard.browser.newPage()
    await decoder.addScriptTag({ path: createRequire(import.meta.url).resolve('jsqr') })
  }, 120_000)

  it('says below it what it holds, and is written as SVG and PNG that decode to the same', async () => {
    const { browser, origin } = dashboard
    const { page, incidents } = await openPage(browser, origin)
    const settings = [
      { slug: 'a', level: 'M', cm: '3 cm', dark: '#000000', light: '#ffffff' },
      { slug: longSlug, level: 'H', cm: '5 cm', dark: '#5b2a86', light: '#fff4c2' },
      { slug: 'a', level: 'Q', cm: '2 cm', dark: '#004d40', light: '#e0f2f1' },
    ]
    for (const { slug, level, cm, dark, light } of settings) {
      await page.getByRole('button', { name: `QR code of ${slug}`, exact: true }).click()
      const dialog = page.getByRole('dialog', { name: `QR code of ${slug}` })
      expect(await dialog.locator('figcaption').textContent()).toBe(`${publicUrl}/${slug}`)
      await dialog.getByLabel('Error correction').selectOption(level)
      await dialog.getByLabel('Printed width').selectOption(cm.replace(' cm', '0'))
      await dialog.getByLabel('Code', { exact: true }).fill(dark)
      await dialog.getByLabel('Background').fill(light)
      await dialog.getByText(/^Contrast [\d.]+ : 1/).waitFor()

      const svg = await download(page, dialog, 'Download SVG')
      const widthMm = Number.parseInt(cm, 10) * 10
      expect(svg.name).toBe(`${slug}.svg`)
      expect(svg.bytes.toString()).toContain(`width="${widthMm}mm" height="${widthMm}mm"`)
      const drawn = await decode(decoder, svg.bytes, 'image/svg+xml', 1_000)
      expect(drawn).toMatchObject({ text: `${publicUrl}/${slug}`, level })

      for (const dpi of [300, 600]) {
        const item = dialog.getByRole('listitem').filter({ hasText: `PNG, ${dpi} dpi` })
        const stated = /([\d.]+) mm, (\d+) px/.exec((await item.textContent()) ?? '')
        const png = await download(page, dialog, `Download PNG, ${dpi} dpi`)
        expect(png.name).toBe(`${slug}-${dpi}dpi.png`)
        const decoded = await decode(decoder, png.bytes, 'image/png')
        expect(decoded).toMatchObject({ text: `${publicUrl}/${slug}`, level, side: Number(stated?.[2]) })
        expect(decoded.colors).toEqual([dark, light].sort())
        expect(decoded.pixelsPerModule % 1).toBe(0)
        expect(decoded.quietZone).toBe(4 * decoded.pixelsPerModule)
        const resolution = resolutionOf(png.bytes)
        expect(resolution).toBeCloseTo(dpi, 1)
        expect((decoded.side / resolution) * 25.4).toBeCloseTo(Number(stated?.[1]), 1)
        // Half a pixel per module, since each has a whole number of them.
        const widestErrorMm = ((decoded.side / decoded.pixelsPerModule) * 0.5 * 25.4) / dpi + 0.05
        expect(Math.abs(Number(stated?.[1]) - widthMm)).toBeLessThanOrEqual(widestErrorMm)
      }
      await dialog.getByRole('button', { name: 'Close' }).click()
      await dialog.waitFor({ state: 'detached' })
    }
    expect(incidents).toEqual([])
  })

  it('is not written in colors that scanners miss, and says so', async () => {
    const { browser, origin } = dashboard
    const { page, incidents } = await openPage(browser, `${origin}/?link=a`, { viewport: phone })
    await page.getByRole('button', { name: 'QR code' }).click()
    const dialog = page.getByRole('dialog')
    const status = dialog.getByRole('status')
    const tries = [
      { dark: '#000000', light: '#ffffff', says: 'Contrast 21 : 1.' },
      { dark: '#ffffff', light: '#000000', says: 'darker than its background', isRefused: true },
      { dark: '#bbbbbb', light: '#ffffff', says: 'Too little for scanners', isRefused: true },
      // 4.6 : 1 to people, but a difference in reflectance of 18 %.
      { dark: '#000000', light: '#777777', says: 'Too little for scanners', isRefused: true },
      { dark: '#ffffff', light: '#ffffff', says: 'Contrast 1 : 1.', isRefused: true },
      { dark: '#dd0000', light: '#ffffff', says: 'not scanners with red light' },
    ]
    for (const { dark, light, says, isRefused = false } of tries) {
      await dialog.getByLabel('Code', { exact: true }).fill(dark)
      await dialog.getByLabel('Background').fill(light)
      await status.getByText(says).waitFor()
      for (const button of await dialog.getByRole('button', { name: /^Download/ }).all())
        expect.soft(await button.isDisabled(), `${dark} on ${light}`).toBe(isRefused)
    }
    await dialog.getByLabel('Code', { exact: true }).fill('#000000')
    await dialog.getByLabel('Error correction').selectOption('H')
    await dialog.getByLabel('Printed width').selectOption('20')
    await status.getByText('Each square is').waitFor()
    expect(await overflowOf(page)).toBe(0)
    expect(incidents).toEqual([])
  })
})

async function download(page: Page, dialog: Locator, button: string) {
  const started = page.waitForEvent('download')
  await dialog.getByRole('button', { name: button, exact: true }).click()
  const file = await started
  return { name: file.suggestedFilename(), bytes: await readFile(await file.path()) }
}

/** In dots per inch, from the pHYs chunk. */
function resolutionOf(png: Buffer): number {
  const at = png.indexOf('pHYs')
  expect(at).toBeGreaterThan(0)
  expect(at).toBeLessThan(png.indexOf('IDAT'))
  expect(png.readUInt32BE(at + 4)).toBe(png.readUInt32BE(at + 8))
  expect(png[at + 12]).toBe(1)
  return png.readUInt32BE(at + 4) * 0.0254
}

/** Draws the file in a browser, and decodes the pixels with jsQR. */
function decode(page: Page, bytes: Buffer, type: string, drawnSide = 0): Promise<Decoded> {
  return page.evaluate<Decoded>(`(async () => {
    const image = new Image()
    image.src = 'data:${type};base64,${bytes.toString('base64')}'
    await image.decode()
    const side = ${drawnSide} || image.naturalWidth
    const canvas = new OffscreenCanvas(side, side)
    const context = canvas.getContext('2d')
    context.drawImage(image, 0, 0, side, side)
    const pixels = context.getImageData(0, 0, side, side)
    // Little-endian: the bytes are red, green, blue, opacity.
    const words = new Uint32Array(pixels.data.buffer)
    const isDark = (x, y) => words[y * side + x] !== words[0]
    const found = jsQR(pixels.data, side, side, { inversionAttempts: 'dontInvert' })
    const modules = 17 + 4 * (found?.version ?? 0) + 8
    const pixelsPerModule = side / modules
    const isLine = (from, to) => {
      for (let along = 0; along < side; along++)
        for (let across = from; across < to; across++)
          if (isDark(along, across) || isDark(across, along)) return false
      return true
    }
    let quietZone = 0
    while (quietZone < side / 2 && isLine(quietZone, quietZone + 1) && isLine(side - quietZone - 1, side - quietZone)) quietZone++
    // The two highest bits of the format information, which is masked (ISO/IEC 18004, 7.9).
    const isDarkModule = (x, y) => isDark(Math.floor((x + 4.5) * pixelsPerModule), Math.floor((y + 4.5) * pixelsPerModule))
    const level = { '01': 'L', '00': 'M', '11': 'Q', '10': 'H' }[
      [!isDarkModule(0, 8), isDarkModule(1, 8)].map(bit => (bit ? '1' : '0')).join('')
    ]
    const color = word => '#' + [word, word >> 8, word >> 16].map(byte => (byte & 255).toString(16).padStart(2, '0')).join('')
    return {
      text: found?.data,
      level,
      quietZone,
      pixelsPerModule,
      side,
      colors: [...new Set(words)].map(color).sort(),
    }
  })()`)
}
