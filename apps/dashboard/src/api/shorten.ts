import type { NewLinkBody, ShortenedLink } from '../../../api/resource/link-schema.ts'
import { send } from './send.ts'

export const shorten = (body: NewLinkBody) => send<ShortenedLink>('POST', '/shorten', { body })
