// Products of few rows with many weights, and the acoustic decoder's blocks, for x86-64 with AVX2 or AVX-512.
//
// Matrices are row-major and dense. Nothing is checked here; `few_rows.py` and `decoder_cpu.py` do.

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "products.hpp"

// y [rows, n_out] = ending(norm(x) Wᵀ + bias), x [rows, n_in]; `norm` may be null.
extern "C" void linear(const Packed* packed, const float* x, long n_rows, const float* norm, float eps,
                       int ending, float* y, long n_threads) {
    const Packed& p = *packed;
    Preparation prepared(p, x, n_rows, {norm, eps});
    const long n_row_tiles = (n_rows + TILE_ROWS - 1) / TILE_ROWS;
    const long rows_each = (n_rows + n_row_tiles - 1) / n_row_tiles;
    const long work = std::max(rows_each, 8L) * p.n_in * STRIP;  // below 8 rows memory is what takes time
    const long most = std::max(1L, n_strips(p) * n_row_tiles / (4 * n_threads));
    const long strips_each = std::clamp(TILE_WORK / work, 1L, most);
    const long n_strip_tiles = (n_strips(p) + strips_each - 1) / strips_each;
#pragma omp parallel num_threads(n_threads)
    {
        if (prepared.is_needed()) {
#pragma omp for schedule(static)
            for (long r = 0; r < n_rows; r++) prepared.row(r);
        }
        // Tiles are handed out as threads become free: a core may be shared with another process.
#pragma omp for schedule(dynamic) nowait
        for (long t = 0; t < n_row_tiles * n_strip_tiles; t++) {
            const long r = t / n_strip_tiles * rows_each, strip = t % n_strip_tiles * strips_each;
            product(p, strip, std::min(strip + strips_each, n_strips(p)), skip(prepared.inputs, p, r, 0),
                    std::min(rows_each, n_rows - r), y + r * p.n_out, ending);
        }
    }
}

// x [rows, n] += down(gelu(up(norm(x)))), in place.
extern "C" void feed_forward(const Packed* up, const Packed* down, float* x, long n_rows, const float* norm,
                             float eps, long n_threads) {
    constexpr long EACH = 48;
    if (n_rows < 2 * EACH * n_threads) {
        float* inner = scratch<float>(INNER, n_rows * up->n_out);
        linear(up, x, n_rows, norm, eps, GELU, inner, n_threads);
        linear(down, inner, n_rows, nullptr, 0, ADD, x, n_threads);
        return;
    }
    // Many rows, few weights: each thread takes its rows through both products without leaving its cache.
#pragma omp parallel for schedule(dynamic) num_threads(n_threads)
    for (long r = 0; r < n_rows; r += EACH) {
        const long n = std::min(EACH, n_rows - r);
        float* inner = scratch<float>(INNER, n * up->n_out);
        Preparation first(*up, x + r * up->n_in, n, {norm, eps});
        for (long i = 0; i < n; i++) first.row(i);
        product(*up, 0, n_strips(*up), first.inputs, n, inner, GELU);
        Preparation second(*down, inner, n, {nullptr, 0});
        for (long i = 0; i < n; i++) second.row(i);
        product(*down, 0, n_strips(*down), second.inputs, n, x + r * down->n_out, ADD);
    }
}

// y = x + bias + a causal depthwise convolution of norm(x), both [n, steps, channels]; `taps` [7, channels].
// `state` [slots, 6, channels] is what utterance `slots[b]` saw before, and is moved on.
extern "C" void mix(const float* x, float* y, long n, long n_steps, long channels, float* state,
                    const int64_t* slots, const float* norm, float eps, const float* taps, const float* bias,
                    long n_threads) {
    constexpr long TAPS = 7, KEPT = TAPS - 1, EACH = 32;
    const long n_chunks = (n_steps + EACH - 1) / EACH, kept = KEPT * channels;
    float* fresh = scratch<float>(FRESH, n * kept);
#pragma omp parallel num_threads(n_threads)
    {
#pragma omp for schedule(dynamic)
        for (long t = 0; t < n * n_chunks; t++) {
            const long b = t / n_chunks, from = t % n_chunks * EACH, to = std::min(from + EACH, n_steps);
            const float* rows = x + b * n_steps * channels;
            float* seen = scratch<float>(SEEN, (EACH + KEPT) * channels);
            for (long i = from - KEPT; i < to; i++) {
                float* row = seen + (i - from + KEPT) * channels;
                const float* old = state + slots[b] * kept + (KEPT + i) * channels;
                if (i < 0) std::memcpy(row, old, channels * sizeof(float));
                else normalise(rows + i * channels, row, channels, {norm, eps});
            }
            for (long i = from; i < to; i++) {
                const float *at = seen + (i - from) * channels, *in = rows + i * channels;
                float* out = y + (b * n_steps + i) * channels;
#pragma omp simd
                for (long c = 0; c < channels; c++) {
                    float sum = in[c] + bias[c];
#pragma GCC unroll 7
                    for (long k = 0; k < TAPS; k++) sum += at[k * channels + c] * taps[k * channels + c];
                    out[c] = sum;
                }
            }
            const float* last = seen + (to - from) * channels;
            if (to == n_steps) std::memcpy(fresh + b * kept, last, kept * sizeof(float));
        }
        // Only now: the first chunk of an utterance reads the old state, the last one knows the new.
#pragma omp for schedule(static)
        for (long b = 0; b < n; b++)
            std::memcpy(state + slots[b] * kept, fresh + b * kept, kept * sizeof(float));
    }
}
