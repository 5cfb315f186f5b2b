// A canvas as sharp as the screen. In: a canvas with a size in CSS. Out: its size in pixels, kept in step.

/** As many pixels as the screen has. */
export function fit(canvas: HTMLCanvasElement): { readonly width: number; readonly height: number } {
  const width = Math.round(canvas.clientWidth * devicePixelRatio)
  const height = Math.round(canvas.clientHeight * devicePixelRatio)
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height })
  return { width, height }
}
