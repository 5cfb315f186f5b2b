// What a device can do at most, measured: multiply-adds in registers, and bytes from buffer to buffer. In: a device. Out:
// FLOP/s and B/s, against which the hop's own figures are set.

const STORAGE = 128 | 8 | 4
const THREADS = 256
const LOOPS = 512

/** f32 multiply-adds per second, times two: sixteen independent vectors of four per thread. */
export async function measureFlops(device: GPUDevice, groups: number): Promise<number> {
  const lanes = Array.from({ length: 16 }, (_, i) => i)
  const code = `@group(0) @binding(0) var<storage, read_write> out: array<vec4<f32>>;
@compute @workgroup_size(${THREADS}) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
let m = vec4<f32>(0.999) + vec4<f32>(f32(id.x)) * 1e-9;
${lanes.map((i) => `var a${i} = vec4<f32>(f32(id.x) + ${i}.0);`).join('\n')}
for (var k = 0u; k < ${LOOPS}u; k++) { ${lanes.map((i) => `a${i} = fma(a${i}, m, m);`).join(' ')} }
out[id.x % 1024u] = ${lanes.map((i) => `a${i}`).join(' + ')}; }`
  const seconds = await timeDispatch(device, code, [16 * 1024], groups)
  return (2 * 4 * 16 * LOOPS * groups * THREADS) / seconds
}

/** Bytes read and written per second, of two buffers that no cache holds. */
export async function measureBandwidth(device: GPUDevice, groups: number): Promise<number> {
  const bytes = Math.min(device.limits.maxStorageBufferBindingSize, 2 ** 16 * groups)
  const each = bytes / 16 / (groups * THREADS)
  const code = `@group(0) @binding(0) var<storage, read_write> out: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> source: array<vec4<f32>>;
@compute @workgroup_size(${THREADS}) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
for (var k = 0u; k < ${each}u; k++) { let i = k * ${groups * THREADS}u + id.x; out[i] = source[i] + vec4<f32>(1.0); } }`
  const seconds = await timeDispatch(device, code, [bytes, bytes], groups)
  return (2 * bytes) / seconds
}

/** Seconds of one dispatch of so many workgroups, the fastest of a few. */
async function timeDispatch(
  device: GPUDevice,
  code: string,
  sizes: readonly number[],
  groups: number,
): Promise<number> {
  const pipeline = await device.createComputePipelineAsync({
    layout: 'auto',
    compute: { module: device.createShaderModule({ code }) },
  })
  const buffers = sizes.map((size) => device.createBuffer({ size, usage: STORAGE }))
  const bindings = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
  })
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round < 4; round++) {
    const started = performance.now()
    const encoder = device.createCommandEncoder()
    const pass = encoder.beginComputePass()
    pass.setPipeline(pipeline)
    pass.setBindGroup(0, bindings)
    pass.dispatchWorkgroups(groups)
    pass.end()
    device.queue.submit([encoder.finish()])
    await device.queue.onSubmittedWorkDone()
    if (round > 0) best = Math.min(best, performance.now() - started)
  }
  for (const buffer of buffers) buffer.destroy()
  return best / 1000
}
