// What stands around a product of 8-bit numbers with many rows: rounding its inputs and rescaling its sums.
//
// The product itself is a library's. Nothing is checked here; `many_rows.py` does.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace {

constexpr float LEAST = 1e-30f;  // of a row's largest input: its inverse is still a number

// The largest |x|. By its bits, as integers: they are in the order of the numbers, and NaN is beyond all of them.
float largest(const float* x, long n) {
    int32_t most = 0;
#pragma omp simd reduction(max : most)
    for (long i = 0; i < n; i++) {
        int32_t bits;
        std::memcpy(&bits, x + i, sizeof bits);
        most = std::max(most, bits & 0x7fffffff);
    }
    float found;
    std::memcpy(&found, &most, sizeof found);
    return found;
}

}  // namespace

// y [rows, n] = the nearest of -127 … 127 to x / scale; scales [rows], a 127th of the row's largest. A row with an
// infinity or NaN gets one as its scale, and anything as its y.
extern "C" void round_rows(const float* x, long n_rows, long n, int8_t* y, float* scales, long n_threads) {
#pragma omp parallel for schedule(static) num_threads(n_threads)
    for (long r = 0; r < n_rows; r++) {
        const float* in = x + r * n;
        int8_t* out = y + r * n;
        const float most = largest(in, n), scale = (most < LEAST ? LEAST : most) / 127.f, inverse = 1.f / scale;
        scales[r] = scale;
#pragma omp simd
        for (long i = 0; i < n; i++) out[i] = static_cast<int8_t>(static_cast<int32_t>(std::nearbyint(in[i] * inverse)));
    }
}

// In place: sums [rows, n] become sums · row_scales [rows] · scales [n] + bias [n] in fp32; `bias` may be null.
extern "C" void rescale(int32_t* sums, long n_rows, long n, const float* row_scales, const float* scales,
                        const float* bias, long n_threads) {
#pragma omp parallel for schedule(static) num_threads(n_threads)
    for (long r = 0; r < n_rows; r++) {
        int32_t* row = sums + r * n;
        const float scale = row_scales[r];
        if (bias) {
#pragma omp simd
            for (long i = 0; i < n; i++) {
                const float y = static_cast<float>(row[i]) * (scale * scales[i]) + bias[i];
                std::memcpy(row + i, &y, sizeof y);
            }
        } else {
#pragma omp simd
            for (long i = 0; i < n; i++) {
                const float y = static_cast<float>(row[i]) * (scale * scales[i]);
                std::memcpy(row + i, &y, sizeof y);
            }
        }
    }
}
