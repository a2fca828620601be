#pragma once

// Packed weights and their product with few rows, by one thread.
//
// A product of one to some thirty rows is bound by the memory that its weights come from. So weights are packed
// in the order in which they are read, fetched ahead, and read once for all rows. Every output is summed in the
// order of its inputs, whatever the number of rows and threads: a result does not depend on who else is in the
// batch, to the last bit.
//
// Packed weights: strips of 32 outputs, one after the other; a strip is a row of panels.
//   fp32   a panel is [inputs][32], of at most 64 inputs
//   8-bit  a panel is one group of inputs: [group / 2][32][2] int8, then the group's 32 scales in fp32
// With 8-bit weights inputs are rounded to 16 bits, with a scale for each row and group: their error is far
// below that of the weights, and int32 sums of up to 128 products cannot overflow.

#include <immintrin.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

extern "C" struct Packed {
    const char* weight;  // 64-byte aligned
    const float* bias;   // of all strips, or null
    long n_in, n_out;
    long group;  // inputs that share a scale; 0 for fp32
};

namespace {

constexpr long STRIP = 32;
constexpr long PANEL = 64;
constexpr long CACHE_LINE = 64;
constexpr long TILE_ROWS = 192;       // their inputs and sums stay in the second-level cache
constexpr long TILE_WORK = 1'000'000; // multiplications worth handing to another thread, some 10 µs

#if defined(__AVX512VNNI__)
constexpr long LANES = 16;
constexpr int MOST_ROWS = 12;  // 24 sums, two vectors of weights, one input: 27 of 32 registers
using Ints = __m512i;
using Floats = __m512;
inline Ints widen(const char* p) {
    return _mm512_cvtepi8_epi16(_mm256_load_si256(reinterpret_cast<const __m256i*>(p)));
}
inline Ints spread(int32_t pair) { return _mm512_set1_epi32(pair); }
inline Floats to_floats(Ints v) { return _mm512_cvtepi32_ps(v); }
inline Ints add_products(Ints sum, Ints a, Ints b) { return _mm512_dpwssd_epi32(sum, a, b); }
#else
constexpr long LANES = 8;
constexpr int MOST_ROWS = 3;  // 12 sums of 16 registers
using Ints = __m256i;
using Floats = __m256;
inline Ints widen(const char* p) {
    return _mm256_cvtepi8_epi16(_mm_load_si128(reinterpret_cast<const __m128i*>(p)));
}
inline Ints spread(int32_t pair) { return _mm256_set1_epi32(pair); }
inline Floats to_floats(Ints v) { return _mm256_cvtepi32_ps(v); }
inline Ints add_products(Ints sum, Ints a, Ints b) { return _mm256_add_epi32(sum, _mm256_madd_epi16(a, b)); }
#endif
constexpr int VECTORS = STRIP / LANES;

inline Floats load(const float* p) {
    Floats v;
    std::memcpy(&v, p, sizeof v);
    return v;
}
inline void store(float* p, Floats v) { std::memcpy(p, &v, sizeof v); }
inline void fetch(const char* p) { _mm_prefetch(p, _MM_HINT_T0); }

// Some rows of inputs, as a product reads them: fp32 or rounded.
struct Inputs {
    const float* exact = nullptr;      // [rows, n_in]
    const int16_t* rounded = nullptr;  // [rows, n_in]
    const float* scales = nullptr;     // [rows, n_in / group]
};

// What a panel's product needs. `ahead` is fetched meanwhile, `stride` bytes further for each line of weights.
struct Panel {
    const char* weight;
    const char* ahead;
    long stride;
    long n_in, n_groups;  // of the whole matrix
    long n;               // inputs of this panel
};

// A panel times R rows, added to `sums` [R, 32].
template <int R>
void add_exact(const Panel& panel, const Inputs& inputs, float* sums) {
    const char *weight = panel.weight, *ahead = panel.ahead;
    const long n = panel.n, n_in = panel.n_in, stride = panel.stride;
    Floats found[R][VECTORS];
#pragma GCC unroll 12
    for (int r = 0; r < R; r++)
#pragma GCC unroll 4
        for (int v = 0; v < VECTORS; v++) found[r][v] = load(sums + r * STRIP + v * LANES);
    for (long i = 0; i < n; i++) {
        fetch(ahead);
        fetch(ahead + CACHE_LINE);
        ahead += 2 * stride;
#pragma GCC unroll 12
        for (int r = 0; r < R; r++) {
            const float one = inputs.exact[r * n_in + i];
#pragma GCC unroll 4
            for (int v = 0; v < VECTORS; v++)
                found[r][v] += load(reinterpret_cast<const float*>(weight) + v * LANES) * one;
        }
        weight += STRIP * sizeof(float);
    }
#pragma GCC unroll 12
    for (int r = 0; r < R; r++)
#pragma GCC unroll 4
        for (int v = 0; v < VECTORS; v++) store(sums + r * STRIP + v * LANES, found[r][v]);
}

template <int R>
void add_rounded(const Panel& panel, const Inputs& inputs, float* sums) {
    const char *weight = panel.weight, *ahead = panel.ahead;
    const long n = panel.n, n_in = panel.n_in, stride = panel.stride;
    Ints found[R][VECTORS];
#pragma GCC unroll 12
    for (int r = 0; r < R; r++)
#pragma GCC unroll 4
        for (int v = 0; v < VECTORS; v++) found[r][v] = Ints{};
    for (long i = 0; i < n; i += 2) {
        fetch(ahead);
        ahead += stride;
        Ints weights[VECTORS];
#pragma GCC unroll 4
        for (int v = 0; v < VECTORS; v++) weights[v] = widen(weight + v * LANES * 2);
#pragma GCC unroll 12
        for (int r = 0; r < R; r++) {
            int32_t pair;
            std::memcpy(&pair, inputs.rounded + r * n_in + i, sizeof pair);
            const Ints both = spread(pair);
#pragma GCC unroll 4
            for (int v = 0; v < VECTORS; v++) found[r][v] = add_products(found[r][v], weights[v], both);
        }
        weight += STRIP * 2;
    }
    const float* weight_scales = reinterpret_cast<const float*>(weight);
#pragma GCC unroll 12
    for (int r = 0; r < R; r++) {
        const float scale = inputs.scales[r * panel.n_groups];
#pragma GCC unroll 4
        for (int v = 0; v < VECTORS; v++) {
            float* sum = sums + r * STRIP + v * LANES;
            store(sum, load(sum) + to_floats(found[r][v]) * (load(weight_scales + v * LANES) * scale));
        }
    }
}

using Add = void (*)(const Panel&, const Inputs&, float*);
template <int... R>
constexpr std::array<Add, MOST_ROWS> every_exact(std::integer_sequence<int, R...>) {
    return {add_exact<R + 1>...};
}
template <int... R>
constexpr std::array<Add, MOST_ROWS> every_rounded(std::integer_sequence<int, R...>) {
    return {add_rounded<R + 1>...};
}
constexpr auto ADD_EXACT = every_exact(std::make_integer_sequence<int, MOST_ROWS>{});
constexpr auto ADD_ROUNDED = every_rounded(std::make_integer_sequence<int, MOST_ROWS>{});

// x/2 · (1 + erf(x/√2)); erf as a quotient of polynomials fitted on [-4, 4], within 4e-7 of the true one.
inline float gelu(float x) {
    const float z = std::min(std::max(x * 0.70710678f, -4.f), 4.f), t = z * z;
    float p = 1.97484323e-06f, q = 3.74809845e-05f;
    p = p * t + 2.88041067e-04f, q = q * t + 1.21635139e-03f;
    p = p * t + 4.00360572e-03f, q = q * t + 1.54443381e-02f;
    p = p * t + 5.34673482e-02f, q = q * t + 1.16476012e-01f;
    p = p * t + 1.96247963e-01f, q = q * t + 5.07251388e-01f;
    p = p * t + 1.12837898e+00f, q = q * t + 1.f;
    return 0.5f * x * (1.f + z * p / q);
}

enum Ending : int { STORE = 0, GELU = 1, ADD = 2 };  // what becomes of the sums; ADD: to what `y` holds

void finish(float* sums, float* y, long n, int ending) {
    if (ending == GELU) {
#pragma omp simd
        for (long i = 0; i < STRIP; i++) sums[i] = gelu(sums[i]);
    }
    if (ending == ADD) {
        for (long i = 0; i < n; i++) y[i] += sums[i];
    } else {
        std::memcpy(y, sums, n * sizeof(float));
    }
}

long strip_bytes(const Packed& p) {
    return p.n_in * STRIP * (p.group ? 1 : 4) + (p.group ? p.n_in / p.group * STRIP * 4 : 0);
}

long n_strips(const Packed& p) { return (p.n_out + STRIP - 1) / STRIP; }

// From row `r` and input `i` on.
Inputs skip(const Inputs& inputs, const Packed& p, long r, long i) {
    if (!p.group) return {inputs.exact + r * p.n_in + i};
    return {nullptr, inputs.rounded + r * p.n_in + i, inputs.scales + (r * p.n_in + i) / p.group};
}

// Strips [from, to) for at most TILE_ROWS rows, by one thread.
void product(const Packed& p, long from, long to, const Inputs& inputs, long n_rows, float* y, int ending) {
    alignas(CACHE_LINE) float sums[TILE_ROWS * STRIP];
    const long n_passes = (n_rows + MOST_ROWS - 1) / MOST_ROWS;
    const auto& add = p.group ? ADD_ROUNDED : ADD_EXACT;
    Panel panel{p.weight + from * strip_bytes(p), nullptr, CACHE_LINE / n_passes, p.n_in, 0, 0};
    if (p.group) panel.n_groups = p.n_in / p.group;
    for (long strip = from; strip < to; strip++) {
        for (long r = 0; r < n_rows; r++) {
            if (p.bias) std::memcpy(sums + r * STRIP, p.bias + strip * STRIP, STRIP * sizeof(float));
            else std::memset(sums + r * STRIP, 0, STRIP * sizeof(float));
        }
        for (long i = 0; i < p.n_in; i += panel.n) {
            panel.n = p.group ? p.group : std::min(PANEL, p.n_in - i);
            const long bytes = p.group ? panel.n * STRIP + STRIP * 4 : panel.n * STRIP * 4;
            for (long pass = 0, r = 0; pass < n_passes; pass++) {
                const long n = (n_rows - r + n_passes - pass - 1) / (n_passes - pass);
                panel.ahead = panel.weight + bytes + bytes * pass / n_passes;  // a share of the next panel
                add[n - 1](panel, skip(inputs, p, r, i), sums + r * STRIP);
                r += n;
            }
            panel.weight += bytes;
        }
        const long first = strip * STRIP, n = std::min(STRIP, p.n_out - first);
        for (long r = 0; r < n_rows; r++) finish(sums + r * STRIP, y + r * p.n_out + first, n, ending);
    }
}

// Memory that a thread keeps between calls, for one purpose each.
enum Purpose { PREPARED, INNER, SEEN, FRESH, N_PURPOSES };

template <class T>
T* scratch(Purpose purpose, long n) {
    static thread_local std::array<std::vector<char>, N_PURPOSES> kept;
    auto& memory = kept[purpose];
    const size_t n_bytes = n * sizeof(T) + CACHE_LINE;
    if (memory.size() < n_bytes) memory = std::vector<char>(n_bytes);
    char* start = memory.data();
    return reinterpret_cast<T*>(start + (-reinterpret_cast<uintptr_t>(start) & (CACHE_LINE - 1)));
}

struct Norm {
    const float* weight;  // null: none
    float eps;
};

void normalise(const float* x, float* y, long n, const Norm& norm) {
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (long i = 0; i < n; i++) sum += x[i] * x[i];
    const float scale = 1.f / std::sqrt(sum / n + norm.eps);
#pragma omp simd
    for (long i = 0; i < n; i++) y[i] = x[i] * scale * norm.weight[i];
}

void round_row(const float* x, const Packed& p, int16_t* y, float* scales) {
    for (long g = 0; g < p.n_in / p.group; g++, x += p.group, y += p.group) {
        float most = 0;
#pragma omp simd reduction(max : most)
        for (long i = 0; i < p.group; i++) most = std::max(most, std::fabs(x[i]));
        scales[g] = most / 32767.f;
        const float inverse = most > 0 ? 32767.f / most : 0.f;
#pragma omp simd
        for (long i = 0; i < p.group; i++) {
            const float scaled = x[i] * inverse;
            y[i] = static_cast<int16_t>(static_cast<int32_t>(scaled + (scaled < 0 ? -0.5f : 0.5f)));
        }
    }
}

// The inputs of one product: normalised and rounded where it is asked for, row by row.
class Preparation {
   public:
    // Memory comes from the calling thread; any thread may then prepare rows.
    Preparation(const Packed& p, const float* x, long n_rows, const Norm& norm) : p_(p), x_(x), norm_(norm) {
        const long n = n_rows * p.n_in;
        float* memory = is_needed() ? scratch<float>(PREPARED, p.group ? 3 * n : n) : nullptr;
        normed_ = memory;
        scales_ = memory + n;
        rounded_ = reinterpret_cast<int16_t*>(memory + 2 * n);
        if (p.group) inputs = {nullptr, rounded_, scales_};
        else inputs.exact = is_needed() ? normed_ : x;
    }

    bool is_needed() const { return norm_.weight || p_.group; }

    void row(long r) {
        const float* from = x_ + r * p_.n_in;
        if (norm_.weight) {
            normalise(from, normed_ + r * p_.n_in, p_.n_in, norm_);
            from = normed_ + r * p_.n_in;
        }
        if (p_.group) round_row(from, p_, rounded_ + r * p_.n_in, scales_ + r * (p_.n_in / p_.group));
    }

    Inputs inputs;

   private:
    const Packed& p_;
    const float* x_;
    Norm norm_;
    float *normed_, *scales_;
    int16_t* rounded_;
};

}  // namespace
