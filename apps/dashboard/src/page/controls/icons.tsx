import type { ComponentChildren } from 'preact'

function Icon({ children }: { children: ComponentChildren }) {
  return (
    <svg class="symbol" viewBox="0 0 20 20" aria-hidden="true">
      {children}
    </svg>
  )
}

export function CopyIcon() {
  return (
    <Icon>
      <rect x="7" y="7" width="9.500" height="9.500" rx="2" />
      <path d="M13 4.500a2 2 0 0 0-1.500-1h-6a2 2 0 0 0-2 2v6a2 2 0 0 0 1 1.500" />
    </Icon>
  )
}

export function CheckIcon() {
  return (
    <Icon>
      <path d="m4 10.500 4 4 8-9" />
    </Icon>
  )
}

export function CrossIcon() {
  return (
    <Icon>
      <path d="m5.500 5.500 9 9m0-9-9 9" />
    </Icon>
  )
}

export function QrIcon() {
  return (
    <Icon>
      <path d="M3.500 3.500h5v5h-5zm8 0h5v5h-5zm-8 8h5v5h-5zm8 0h2v2h-2zm3 3h2v2h-2zm0-3h2m-5 5h.500" />
    </Icon>
  )
}

export function ArrowIcon() {
  return (
    <Icon>
      <path d="M16 10H4m5-5-5 5 5 5" />
    </Icon>
  )
}

export function SunIcon() {
  return (
    <Icon>
      <circle cx="10" cy="10" r="3.500" />
      <path d="M10 2v1.500M10 16.500V18M2 10h1.500M16.500 10H18M4.300 4.300l1.100 1.100M14.600 14.600l1.100 1.100M4.300 15.700l1.100-1.100M14.600 5.400l1.100-1.100" />
    </Icon>
  )
}

export function MoonIcon() {
  return (
    <Icon>
      <path d="M16.500 12.200A7 7 0 0 1 7.800 3.500a7 7 0 1 0 8.700 8.700z" />
    </Icon>
  )
}

export function HalfIcon() {
  return (
    <Icon>
      <circle cx="10" cy="10" r="7" />
      <path class="filled" d="M10 3a7 7 0 0 1 0 14z" />
    </Icon>
  )
}

export function DotsIcon() {
  return (
    <Icon>
      <path
        class="filled"
        d="M10 3a1.500 1.500 0 1 1 0 3 1.500 1.500 0 0 1 0-3zm0 5.500a1.500 1.500 0 1 1 0 3 1.500 1.500 0 0 1 0-3zm0 5.500a1.500 1.500 0 1 1 0 3 1.500 1.500 0 0 1 0-3z"
      />
    </Icon>
  )
}

export function PersonIcon() {
  return (
    <Icon>
      <circle cx="10" cy="6.500" r="3" />
      <path d="M3.500 17c.500-3.800 3-5.500 6.500-5.500s6 1.700 6.500 5.500" />
    </Icon>
  )
}

/** The logo: two hops and their destination. */
export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" />
      <path d="M5 22c1.500-9 8.500-9 10 0c1.200-7 8-7.500 10.500-1.500" />
      <circle cx="26" cy="22.500" r="2.600" />
    </svg>
  )
}
