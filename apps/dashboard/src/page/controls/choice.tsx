/** A choice of a few options, side by side: radio buttons, so that arrow keys and screen readers work. */
export function Choice<T extends string>(props: {
  title: string
  name: string
  options: { value: T; label: string }[]
  value: T
  choose: (value: T) => void
}) {
  return (
    <fieldset class="choice">
      <legend class="visually-hidden">{props.title}</legend>
      {props.options.map(({ value, label }) => (
        <label key={value}>
          <input
            type="radio"
            class="visually-hidden"
            name={props.name}
            value={value}
            checked={value === props.value}
            onChange={() => props.choose(value)}
          />
          <span>{label}</span>
        </label>
      ))}
    </fieldset>
  )
}
