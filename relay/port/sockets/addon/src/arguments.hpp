// Reads arguments from JavaScript. The layer in TypeScript checks them; what is wrong all the same becomes a TypeError here.

#pragma once

#include <node_api.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "server.hpp"

namespace hotmic::sockets {

// Throws a TypeError, and returns false, so that callers can return it.
inline bool refuse(napi_env env, const char* what) {
  bool is_pending = false;
  if (napi_is_exception_pending(env, &is_pending) == napi_ok && !is_pending) napi_throw_type_error(env, "ERR_HOTMIC_ADDON", what);
  return false;
}

// Memory for texts that are read one after the other: it grows, and is kept.
class TextBuffer {
 public:
  // The text in UTF-8, valid until the next one is read. False, without an exception, for anything but a string.
  bool read(napi_env env, napi_value value, std::string_view& text) {
    size_t length = 0;
    if (napi_get_value_string_utf8(env, value, bytes_.get(), size_, &length) != napi_ok) return false;
    // One that does not fit is cut at a whole character, before the 0 at its end.
    if (length + kLongestCharacter >= size_) {
      if (napi_get_value_string_utf8(env, value, nullptr, 0, &length) != napi_ok) return false;
      size_ = length + kLongestCharacter + 1;
      bytes_ = std::make_unique<char[]>(size_);
      if (napi_get_value_string_utf8(env, value, bytes_.get(), size_, &length) != napi_ok) return false;
    }
    text = {bytes_.get(), length};
    return true;
  }

 private:
  static constexpr size_t kLongestCharacter = 4;
  static constexpr size_t kUsual = 1024;

  size_t size_ = kUsual;
  std::unique_ptr<char[]> bytes_ = std::make_unique<char[]>(kUsual);
};

// A copy of the text in UTF-8. False, without an exception, for anything but a string.
inline bool read_text(napi_env env, napi_value value, std::string& into) {
  TextBuffer buffer;
  std::string_view text;
  if (!buffer.read(env, value, text)) return false;
  into = text;
  return true;
}

// The bytes of a Uint8Array, valid until JavaScript runs again. False, without an exception, for anything else.
inline bool read_bytes(napi_env env, napi_value value, std::string_view& bytes) {
  bool is_typed = false;
  napi_typedarray_type type = napi_int8_array;
  size_t length = 0;
  void* data = nullptr;
  if (napi_is_typedarray(env, value, &is_typed) != napi_ok || !is_typed) return false;
  if (napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) != napi_ok || type != napi_uint8_array) return false;
  bytes = {length == 0 ? "" : static_cast<const char*>(data), length};
  return true;
}

// An answer: [status, body, name, value, …]. With `bytes`, a body that is a Uint8Array is not read but left there, and may be a text. False for null, and for anything else that is not one.
inline bool read_answer(napi_env env, napi_value value, HttpAnswer& answer, napi_value* bytes = nullptr) {
  bool is_array = false;
  uint32_t length = 0;
  if (napi_is_array(env, value, &is_array) != napi_ok || !is_array) return false;
  if (napi_get_array_length(env, value, &length) != napi_ok || length < 2 || length % 2 != 0) return false;
  const auto at = [env, value](uint32_t index, std::string& into) {
    napi_value element = nullptr;
    return napi_get_element(env, value, index, &element) == napi_ok && read_text(env, element, into);
  };
  if (!at(0, answer.status)) return false;
  napi_value body = nullptr;
  bool are_bytes = false;
  if (napi_get_element(env, value, 1, &body) != napi_ok || napi_is_typedarray(env, body, &are_bytes) != napi_ok) return false;
  if (are_bytes && bytes != nullptr) {
    *bytes = body;
  } else if (!read_text(env, body, answer.body)) {
    return false;
  }
  for (uint32_t index = 2; index < length; index += 2) {
    auto& [name, content] = answer.headers.emplace_back();
    if (!at(index, name) || !at(index + 1, content)) return false;
  }
  return true;
}

// The same, for the page: its bytes are kept and not copied. Null for anything that is not one.
inline std::unique_ptr<PageAnswer> read_page(napi_env env, napi_value value) {
  HttpAnswer head;
  napi_value body = nullptr;
  if (!read_answer(env, value, head, &body)) return nullptr;
  std::string_view bytes;
  napi_ref owner = nullptr;
  if (body != nullptr && (!read_bytes(env, body, bytes) || napi_create_reference(env, body, 1, &owner) != napi_ok)) return nullptr;
  return std::make_unique<PageAnswer>(env, std::move(head), owner, bytes);
}

// Properties of an object. The first that is missing or of another kind throws; the object is then no longer `ok`.
class Properties {
 public:
  Properties(napi_env env, napi_value object) : env_(env), object_(object) {
    napi_valuetype type = napi_undefined;
    is_ok_ = napi_typeof(env, object, &type) == napi_ok && type == napi_object;
    if (!is_ok_) refuse(env, "expected an object");
  }

  bool ok() const { return is_ok_; }

  std::string text(const char* name) {
    std::string read;
    check(read_text(env_, get(name), read), name);
    return read;
  }

  uint32_t number(const char* name, uint32_t least, uint32_t most) {
    double read = 0;
    check(napi_get_value_double(env_, get(name), &read) == napi_ok && read >= least && read <= most, name);
    return is_ok_ ? static_cast<uint32_t>(read) : least;
  }

  HttpAnswer answer(const char* name) {
    HttpAnswer read;
    check(read_answer(env_, get(name), read), name);
    return read;
  }

  // Kept until napi_delete_reference.
  napi_ref function(const char* name) {
    napi_value value = get(name);
    napi_valuetype type = napi_undefined;
    check(napi_typeof(env_, value, &type) == napi_ok && type == napi_function, name);
    napi_ref kept = nullptr;
    if (is_ok_) check(napi_create_reference(env_, value, 1, &kept) == napi_ok, name);
    return kept;
  }

  // Undefined after the first that failed.
  napi_value get(const char* name) {
    napi_value value = nullptr;
    if (is_ok_ && napi_get_named_property(env_, object_, name, &value) != napi_ok) is_ok_ = false;
    if (value == nullptr) napi_get_undefined(env_, &value);
    return value;
  }

  bool is_null(const char* name) {
    napi_valuetype type = napi_undefined;
    return napi_typeof(env_, get(name), &type) == napi_ok && type == napi_null;
  }

 private:
  void check(bool is_good, const char* name) {
    if (is_good || !is_ok_) return;
    is_ok_ = false;
    refuse(env_, name);
  }

  napi_env env_;
  napi_value object_;
  bool is_ok_;
};

}  // namespace hotmic::sockets
