/** Slugs and URLs of the links that `npm run seed` creates. */
export function seededUrls(links: number): Map<string, string> {
  return new Map(
    Array.from({ length: links }, (_, i) => [
      `s${String(i + 1).padStart(7, '0')}`,
      `https://www.example.com/articles/${i + 1}/how-it-began?source=seed`,
    ]),
  )
}
