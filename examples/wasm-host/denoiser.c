/* The host's half of the core's ABI (assembly/index.ts): one memory with program, scratch and states side by side. In: a model
 * file. Out: hops. Assumes a little-endian machine, as the file is. */
#include "denoiser.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC 0x454e5441u /* ATNE */
#define VERSION 1
#define HEADER_BYTES 128
#define ALIGNMENT 64
#define PAGE_BYTES 65536u
#define MAX_BYTES (256u << 20)
#define MAX_LAG (1u << 24) /* samples */

/* What the translated module imports: env.memory. */
struct Z_env_instance_t {
  wasm_rt_memory_t *memory;
};

wasm_rt_memory_t *Z_envZ_memory(struct Z_env_instance_t *env) { return env->memory; }

/* Called by wasm2c's runtime: the core left its memory, which no intact model makes it do. On a microcontroller: reset. */
WASM_RT_NO_RETURN void denoiser_trapped(wasm_rt_trap_t trap) {
  fprintf(stderr, "the model file is damaged: %s\n", wasm_rt_strerror(trap));
  exit(1);
}

static uint32_t word(const uint8_t *bytes, unsigned index) {
  uint32_t value;
  memcpy(&value, bytes + 4 * index, sizeof value);
  return value;
}

static uint32_t aligned(uint32_t bytes) { return (bytes + ALIGNMENT - 1) & ~(uint32_t)(ALIGNMENT - 1); }

static const char *read_header(ModelHeader *model, const uint8_t *bytes, size_t count) {
  if (count < HEADER_BYTES || word(bytes, 0) != MAGIC) return "not a model file";
  if (word(bytes, 1) != VERSION) return "a model file of another version";
  if (word(bytes, 2) != count) return "a model file cut short";
  *model = (ModelHeader){
      .input_rate = word(bytes, 4),
      .input_hop = word(bytes, 5),
      .output_rate = word(bytes, 6),
      .output_hop = word(bytes, 7),
      .state_bytes = word(bytes, 13),
      .scratch_bytes = word(bytes, 14),
      .input_offset = word(bytes, 15),
      .output_offset = word(bytes, 16),
      .overlap_lag = word(bytes, 17),
      .lookahead_hops = word(bytes, 18),
  };
  if (count > MAX_BYTES || model->state_bytes > MAX_BYTES || model->scratch_bytes > MAX_BYTES) return "a model too large";
  if (model->input_hop == 0 || model->output_hop == 0) return "a model without a hop";
  if (model->input_offset + 4ull * model->input_hop > model->scratch_bytes) return "a model with its input out of place";
  if (model->output_offset + 4ull * model->output_hop > model->scratch_bytes) return "a model with its output out of place";
  if (model->overlap_lag + (uint64_t)model->lookahead_hops * model->output_hop > MAX_LAG)
    return "a model that looks too far ahead";
  return NULL;
}

const char *denoiser_open(Denoiser *denoiser, const uint8_t *bytes, size_t count, unsigned channels) {
  ModelHeader *model = &denoiser->model;
  const char *fault = read_header(model, bytes, count);
  if (fault) return fault;
  if (channels < 1 || channels > MAX_CHANNELS) return "not for 1 to 8 channels";

  struct Z_env_instance_t env = {&denoiser->memory};
  wasm_rt_init();
  Z_core_init_module();
  wasm_rt_allocate_memory(&denoiser->memory, 1, MAX_BYTES / PAGE_BYTES);
  Z_core_instantiate(&denoiser->core, &env);

  uint32_t end = aligned(Z_coreZ_heapBase(&denoiser->core));
  denoiser->program = end;
  end += aligned((uint32_t)count);
  denoiser->scratch = end;
  end += aligned(model->scratch_bytes);
  for (unsigned channel = 0; channel < channels; channel++) {
    denoiser->states[channel] = end;
    end += aligned(model->state_bytes);
  }
  uint32_t pages = (end + PAGE_BYTES - 1) / PAGE_BYTES;
  if (pages > 1 && wasm_rt_grow_memory(&denoiser->memory, pages - 1) == (uint32_t)-1) return "a model too large";

  memcpy(denoiser->memory.data + denoiser->program, bytes, count);
  for (unsigned channel = 0; channel < channels; channel++)
    Z_coreZ_reset(&denoiser->core, denoiser->program, denoiser->states[channel]);
  return NULL;
}

void denoiser_hop(Denoiser *denoiser, unsigned channel, const float *in, float *out) {
  const ModelHeader *model = &denoiser->model;
  uint8_t *scratch = denoiser->memory.data + denoiser->scratch;
  memcpy(scratch + model->input_offset, in, 4 * model->input_hop);
  Z_coreZ_hop(&denoiser->core, denoiser->program, denoiser->states[channel], denoiser->scratch);
  memcpy(out, scratch + model->output_offset, 4 * model->output_hop);
}

void denoiser_end(Denoiser *denoiser, unsigned channel) { Z_coreZ_end(&denoiser->core, denoiser->states[channel]); }

uint32_t denoiser_lag(const Denoiser *denoiser) {
  return denoiser->model.overlap_lag + denoiser->model.lookahead_hops * denoiser->model.output_hop;
}

uint32_t denoiser_bytes(const Denoiser *denoiser, unsigned channels) {
  return denoiser->states[0] - denoiser->program + channels * aligned(denoiser->model.state_bytes);
}
