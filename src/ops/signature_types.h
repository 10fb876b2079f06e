// The type sets that TensorFlow's signatures repeat, in the order TensorFlow gives them.
#pragma once

#include <string_view>

namespace headrace {

inline constexpr std::string_view kNumberTypes =
    "{f32,f64,i32,u8,i16,i8,c64,i64,qi8,qu8,qi32,bf16,qi16,qu16,u16,c128,f16,u32,u64}";
inline constexpr std::string_view kRealTypes = "{f32,f64,i32,u8,i16,i8,i64,bf16,u16,f16,u32,u64}";
inline constexpr std::string_view kFloatTypes = "{f16,bf16,f32,f64}";

}  // namespace headrace
