// Arguments from JavaScript, checked once more at the border: a wrong type throws TypeError, a value out of range RangeError. The
// layer above has the better messages; this one is the last check.

#pragma once

#include <napi.h>

#include <cmath>
#include <cstdint>
#include <string>

namespace hotmic {

// Memory of a Uint8Array, which may lie on a SharedArrayBuffer. Never null; valid until the call returns.
struct Bytes {
  uint8_t* data;
  size_t length;
};

class Arguments {
 public:
  Arguments(const Napi::CallbackInfo& info, const char* function) : info_(info), function_(function) {}

  template <typename Whole>
  Whole whole(size_t index, const char* name, double min, double max) const {
    double value = 0;
    if (napi_get_value_double(info_.Env(), info_[index], &value) != napi_ok) throw type_error(name, "a number");
    if (!(value >= min && value <= max) || std::floor(value) != value) {
      const std::string range = std::to_string(static_cast<int64_t>(min)) + " to " +
                                std::to_string(static_cast<int64_t>(max));
      throw range_error(name, "a whole number from " + range);
    }
    return static_cast<Whole>(value);
  }

  uint32_t u32(size_t index, const char* name) const { return whole<uint32_t>(index, name, 0, 4294967295.0); }
  int32_t i32(size_t index, const char* name) const {
    return whole<int32_t>(index, name, -2147483648.0, 2147483647.0);
  }
  uint16_t port(size_t index) const { return whole<uint16_t>(index, "port", 0, 65535); }

  // 64 bits, unchanged.
  uint64_t steam_id(size_t index) const {
    uint64_t value = 0;
    bool lossless = false;
    const napi_status status = napi_get_value_bigint_uint64(info_.Env(), info_[index], &value, &lossless);
    if (status != napi_ok) throw type_error("SteamID", "a bigint");
    if (!lossless) throw range_error("SteamID", "64 bits");
    return value;
  }

  bool flag(size_t index, const char* name) const {
    bool value = false;
    if (napi_get_value_bool(info_.Env(), info_[index], &value) != napi_ok) throw type_error(name, "a boolean");
    return value;
  }

  // Up to `max` bytes of UTF-8 without a NUL, since it goes to C.
  std::string text(size_t index, const char* name, size_t max) const {
    if (!info_[index].IsString()) throw type_error(name, "a string");
    const std::string value = info_[index].As<Napi::String>().Utf8Value();
    if (value.size() > max) throw range_error(name, "at most " + std::to_string(max) + " bytes");
    if (value.find('\0') != std::string::npos) throw range_error(name, "text without NUL");
    return value;
  }

  // A Uint8Array; not a DataView, not a bare buffer.
  Bytes bytes(size_t index, const char* name, size_t max) const {
    static uint8_t nothing = 0;
    bool is_typed_array = false;
    napi_typedarray_type type = napi_int8_array;
    size_t length = 0;
    void* data = nullptr;
    if (napi_is_typedarray(info_.Env(), info_[index], &is_typed_array) != napi_ok || !is_typed_array ||
        napi_get_typedarray_info(info_.Env(), info_[index], &type, &length, &data, nullptr, nullptr) != napi_ok ||
        type != napi_uint8_array) {
      throw type_error(name, "a Uint8Array");
    }
    if (length > max) throw range_error(name, "at most " + std::to_string(max) + " bytes");
    return {data == nullptr || length == 0 ? &nothing : static_cast<uint8_t*>(data), length};
  }

 private:
  Napi::Error type_error(const char* name, const char* wanted) const {
    return Napi::TypeError::New(info_.Env(), message(name, wanted));
  }
  Napi::Error range_error(const char* name, const std::string& wanted) const {
    return Napi::RangeError::New(info_.Env(), message(name, wanted));
  }
  std::string message(const char* name, const std::string& wanted) const {
    return std::string("Cannot ") + function_ + ": expected " + name + " to be " + wanted;
  }

  const Napi::CallbackInfo& info_;
  const char* function_;
};

}  // namespace hotmic
