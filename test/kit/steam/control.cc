// The way of a test in JavaScript to the fake client: a Node-API addon of one function,
// control(libraryPath: string, command: string): string. It takes the library that is loaded already, and loads it where it
// is not: the state is the same, for a stand-in stays loaded.

#include <dlfcn.h>
#include <node_api.h>

#include <string>
#include <vector>

namespace {

using StandIn = int (*)(const char* command, char* answer, size_t answerBytes);

napi_value fail(napi_env env, const std::string& text) {
  napi_throw_error(env, nullptr, ("Cannot control a stand-in: " + text).c_str());
  return nullptr;
}

bool textOf(napi_env env, napi_value value, std::string* text) {
  size_t bytes = 0;
  if (napi_get_value_string_utf8(env, value, nullptr, 0, &bytes) != napi_ok) return false;
  std::vector<char> room(bytes + 1);
  if (napi_get_value_string_utf8(env, value, room.data(), room.size(), &bytes) != napi_ok) return false;
  text->assign(room.data(), bytes);
  return true;
}

napi_value control(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value arguments[2];
  std::string path;
  std::string command;
  if (napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr) != napi_ok || count != 2 ||
      !textOf(env, arguments[0], &path) || !textOf(env, arguments[1], &command)) {
    return fail(env, "expected a path and a command");
  }
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
  if (library == nullptr) library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return fail(env, dlerror());
  const auto standIn = reinterpret_cast<StandIn>(dlsym(library, "hotmic_stand_in"));
  if (standIn == nullptr) return fail(env, path + " is not a stand-in");
  std::vector<char> answer(1 << 17);
  const int result = standIn(command.c_str(), answer.data(), answer.size());
  dlclose(library);
  if (result != 0) return fail(env, result == 2 ? "the answer is too long" : answer.data());
  napi_value text = nullptr;
  napi_create_string_utf8(env, answer.data(), NAPI_AUTO_LENGTH, &text);
  return text;
}

}  // namespace

NAPI_MODULE_INIT() {
  napi_value function = nullptr;
  napi_create_function(env, "control", NAPI_AUTO_LENGTH, control, nullptr, &function);
  napi_set_named_property(env, exports, "control", function);
  return exports;
}
