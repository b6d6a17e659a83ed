import { useRef, useState } from 'preact/hooks'
import { useNavigation } from '../navigation.tsx'

export const linkSearchId = 'link-search'

/** Opens any link by its name, also one without visits, which no list has. Takes the whole short link, too. */
export function LinkSearch() {
  const { go } = useNavigation()
  const [text, setText] = useState('')
  const field = useRef<HTMLInputElement>(null)
  return (
    <search>
      <form
        class="link-search"
        onSubmit={event => {
          event.preventDefault()
          const slug = slugIn(text)
          if (slug === '') return field.current?.focus()
          setText('')
          field.current?.blur()
          go({ link: slug })
        }}
      >
        <input
          ref={field}
          id={linkSearchId}
          type="search"
          aria-label="Open a link by its name"
          placeholder="Open a link…"
          autocomplete="off"
          autocapitalize="none"
          spellcheck={false}
          enterkeyhint="go"
          value={text}
          onInput={event => setText(event.currentTarget.value)}
        />
      </form>
    </search>
  )
}

/** `abc`, `/abc`, `hop.example/abc` and `https://hop.example/abc?x` all mean `abc`. */
function slugIn(text: string): string {
  const path = text
    .trim()
    .replace(/[?#].*$/, '')
    .replace(/\/+$/, '')
  return path.slice(path.lastIndexOf('/') + 1)
}
