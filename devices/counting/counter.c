/* A plugin of QEMU's user-mode emulators: counts the guest's instructions. In: a running program, and the number of a system call
 * that marks places in it (syscall=NUMBER). Out: at each such call, on QEMU's log, a line `INSTRUCTIONS WIDE` of the calling
 * thread so far; WIDE are arithmetic instructions on vectors of 128 bits, known for set=arm64 and set=armv7. The declarations
 * are those of QEMU's plugin interface, version 1. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))
#define MAX_THREADS 64

typedef uint64_t PluginId;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef void (*OnTranslation)(PluginId, struct qemu_plugin_tb *);
typedef void (*OnExecution)(unsigned, void *);
typedef void (*OnSyscall)(PluginId, unsigned, int64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);

void qemu_plugin_register_vcpu_tb_trans_cb(PluginId, OnTranslation);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *, OnExecution, int flags, void *);
void qemu_plugin_register_vcpu_syscall_cb(PluginId, OnSyscall);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *);
void qemu_plugin_outs(const char *);

EXPORT int qemu_plugin_version = 1;

static struct {
  uint64_t instructions, wide;
} threads[MAX_THREADS];
static int64_t marking;
static bool (*is_wide)(const uint8_t *, size_t);

static uint32_t word(const uint8_t *code) {
  uint32_t value;
  memcpy(&value, code, 4);
  return value;
}

static bool is_never(const uint8_t *code, size_t size) {
  (void)code, (void)size;
  return false;
}

/* Arm ARM, C4.1: bits 28..25 are x111 for arithmetic on scalars and vectors; vectors have bits 31 and 28 clear; Q is bit 30. */
static bool is_wide_arm64(const uint8_t *code, size_t size) {
  (void)size;
  return (word(code) & 0xde000000u) == 0x4e000000u;
}

/* Arm ARM, F4.1: 1111001x in A32, 111x1111 in the first half of T32; Q is bit 6 of both. */
static bool is_wide_armv7(const uint8_t *code, size_t size) {
  if (size != 4) return false;
  uint32_t a32 = word(code), t32 = a32 << 16 | a32 >> 16;
  return (a32 & 0xfe000040u) == 0xf2000040u || (t32 & 0xef000040u) == 0xef000040u;
}

static void executed(unsigned thread, void *counts) {
  threads[thread % MAX_THREADS].instructions += (uintptr_t)counts & 0xffff;
  threads[thread % MAX_THREADS].wide += (uintptr_t)counts >> 16;
}

static void translated(PluginId id, struct qemu_plugin_tb *block) {
  (void)id;
  size_t count = qemu_plugin_tb_n_insns(block);
  uintptr_t wide = 0;
  for (size_t i = 0; i < count; i++) {
    struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(block, i);
    wide += is_wide(qemu_plugin_insn_data(instruction), qemu_plugin_insn_size(instruction));
  }
  qemu_plugin_register_vcpu_tb_exec_cb(block, executed, 0, (void *)(wide << 16 | count));
}

static void called(PluginId id, unsigned thread, int64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
                   uint64_t f, uint64_t g, uint64_t h) {
  (void)id, (void)a, (void)b, (void)c, (void)d, (void)e, (void)f, (void)g, (void)h;
  if (number != marking) return;
  char line[64];
  snprintf(line, sizeof line, "%llu %llu\n", (unsigned long long)threads[thread % MAX_THREADS].instructions,
           (unsigned long long)threads[thread % MAX_THREADS].wide);
  qemu_plugin_outs(line);
}

EXPORT int qemu_plugin_install(PluginId id, const void *info, int count, char **arguments) {
  (void)info;
  is_wide = is_never;
  for (int i = 0; i < count; i++) {
    if (strncmp(arguments[i], "syscall=", 8) == 0) marking = atoll(arguments[i] + 8);
    if (strcmp(arguments[i], "set=arm64") == 0) is_wide = is_wide_arm64;
    if (strcmp(arguments[i], "set=armv7") == 0) is_wide = is_wide_armv7;
  }
  qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
  qemu_plugin_register_vcpu_syscall_cb(id, called);
  return 0;
}
