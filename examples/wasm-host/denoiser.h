/* A model file and the scalar core, in C. In: the bytes of a model file. Out: hops of samples without noise, one call per hop.
 * The core is core.scalar.wasm, translated to C by wasm2c: no WebAssembly engine, no floating-point surprises, the bits of the
 * SDK. One denoiser holds one copy of the model and a state for each channel; nothing is allocated after denoiser_open. */
#ifndef DENOISER_H
#define DENOISER_H

#include <stddef.h>
#include <stdint.h>

#include "core.h"

#define MAX_CHANNELS 8

/* What of the model file's header a host needs (quantize/FORMAT.md, Header). */
typedef struct {
  uint32_t input_rate;
  uint32_t input_hop; /* samples */
  uint32_t output_rate;
  uint32_t output_hop;
  uint32_t state_bytes; /* of one channel */
  uint32_t scratch_bytes;
  uint32_t input_offset; /* in scratch */
  uint32_t output_offset;
  uint32_t overlap_lag; /* output samples */
  uint32_t lookahead_hops;
} ModelHeader;

typedef struct {
  ModelHeader model;
  wasm_rt_memory_t memory;
  Z_core_instance_t core;
  uint32_t program; /* addresses in the core's memory */
  uint32_t scratch;
  uint32_t states[MAX_CHANNELS];
} Denoiser;

/* NULL, or what is wrong with the header. Records are not checked: one that leads out of bounds ends in denoiser_trapped. */
const char *denoiser_open(Denoiser *denoiser, const uint8_t *bytes, size_t count, unsigned channels);

/* `in`: (input_hop) samples in -1..1. `out`: (output_hop), denoiser_lag samples late. */
void denoiser_hop(Denoiser *denoiser, unsigned channel, const float *in, float *out);

/* The channel's input has ended: further hops only deliver what look-ahead still holds. */
void denoiser_end(Denoiser *denoiser, unsigned channel);

WASM_RT_NO_RETURN void denoiser_trapped(wasm_rt_trap_t trap);

/* Results that belong before the input's beginning, in output samples. */
uint32_t denoiser_lag(const Denoiser *denoiser);

/* Bytes of the core's memory in use: model, scratch and states. */
uint32_t denoiser_bytes(const Denoiser *denoiser, unsigned channels);

#endif
