import { useMemo, useState } from 'preact/hooks'
import { CopyButton } from '../page/controls/copy-button.tsx'
import { closeDialog, Dialog } from '../page/controls/dialog.tsx'
import { checkColors } from './check-colors.ts'
import type { Colors, Level } from './draw-code.ts'
import { blackOnWhite, drawCode, levels, writeSvg } from './draw-code.ts'
import { QrCode } from './qr-code.tsx'
import { mmPerInch, pixelsPerSide, writePng } from './write-png.ts'

/** How much of a code may be covered or damaged. */
const levelTitles: Record<Level, string> = {
  L: 'L, 7 %',
  M: 'M, 15 %',
  Q: 'Q, 25 %',
  H: 'H, 30 %',
}
const sidesMm = [20, 30, 50, 100, 200]
const resolutions = [300, 600]
/** Cameras of phones tell smaller modules apart only from very near, and many printers blur them. */
const smallestModuleMm = 0.4

/** Kept until the page is left: whoever makes several codes makes them alike. */
let settings: { level: Level; sideMm: number; colors: Colors } = {
  level: 'M',
  sideMm: 30,
  colors: blackOnWhite,
}

/** A QR code to look at, and as files for print. */
export function QrDialog(props: { shortUrl: string; slug: string; close: () => void }) {
  const { shortUrl, slug, close } = props
  const [chosen, setChosen] = useState(settings)
  const { level, sideMm, colors } = chosen
  const code = useMemo(() => drawCode(shortUrl, level), [shortUrl, level])
  const { ratio, problem, warning } = checkColors(colors)
  const choose = (change: Partial<typeof settings>) => {
    settings = { ...settings, ...change }
    setChosen(settings)
  }
  const isTooSmall = sideMm / code.size < smallestModuleMm
  return (
    <Dialog title={`QR code of ${slug}`} close={close}>
      <QrCode text={shortUrl} code={code} colors={colors} />
      <div class="qr-settings">
        <label>
          Error correction
          <select
            value={level}
            onChange={({ currentTarget }) => choose({ level: levels[currentTarget.selectedIndex] ?? 'M' })}
          >
            {levels.map(each => (
              <option key={each} value={each}>
                {levelTitles[each]}
              </option>
            ))}
          </select>
        </label>
        <label>
          Printed width
          <select value={sideMm} onChange={({ currentTarget }) => choose({ sideMm: +currentTarget.value })}>
            {sidesMm.map(mm => (
              <option key={mm} value={mm}>
                {mm / 10} cm ({(mm / mmPerInch).toFixed(1)} in)
              </option>
            ))}
          </select>
        </label>
        <label>
          Code
          <input
            type="color"
            value={colors.dark}
            onInput={({ currentTarget }) => choose({ colors: { ...colors, dark: currentTarget.value } })}
          />
        </label>
        <label>
          Background
          <input
            type="color"
            value={colors.light}
            onInput={({ currentTarget }) => choose({ colors: { ...colors, light: currentTarget.value } })}
          />
        </label>
      </div>
      <div role="status">
        <p class={problem ? 'field-problem' : undefined}>
          {/* Rounded down: 2.96 is not 3. */}
          Contrast {Math.floor(ratio * 10) / 10} : 1. {problem ?? warning}
        </p>
        {isTooSmall && (
          <p>
            Each square is {(sideMm / code.size).toFixed(2)} mm wide: for phones choose a larger width or less
            error correction.
          </p>
        )}
      </div>
      <ul class="qr-files">
        <li>
          <button
            type="button"
            disabled={problem !== undefined}
            onClick={() => save(`${slug}.svg`, writeSvg(code, colors, sideMm))}
          >
            Download SVG
          </button>
          <span class="muted small-text">{sideMm} mm, scales</span>
        </li>
        {resolutions.map(dpi => {
          const pixels = pixelsPerSide(code.size, sideMm, dpi)
          return (
            <li key={dpi}>
              <button
                type="button"
                disabled={problem !== undefined}
                onClick={async () => save(`${slug}-${dpi}dpi.png`, await writePng(code, colors, pixels, dpi))}
              >
                Download PNG, {dpi} dpi
              </button>
              <span class="muted small-text">
                {((pixels / dpi) * mmPerInch).toFixed(1)} mm, {pixels} px
              </span>
            </li>
          )
        })}
      </ul>
      <div class="actions">
        <CopyButton text={shortUrl} label="Copy short link" />
        <button type="button" class="primary" onClick={closeDialog}>
          Close
        </button>
      </div>
    </Dialog>
  )
}

function save(name: string, file: Blob): void {
  const url = URL.createObjectURL(file)
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  // The browser has begun to read it by then.
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}
