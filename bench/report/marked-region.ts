/**
 * Puts a text between `<!-- name -->` and `<!-- /name -->`, in place of what stands there.
 * @throws Error when the document has no such region, or more than one
 */
export function replaceRegion(document: string, name: string, content: string): string {
  const parts = document.split(new RegExp(`(?<=<!-- ${name} -->)[^]*?(?=<!-- /${name} -->)`));
  if (parts.length !== 2)
    throw new Error(`"<!-- ${name} -->" and "<!-- /${name} -->" must stand in the document once.`);
  return `${parts[0]}\n\n${content}\n\n${parts[1]}`;
}
