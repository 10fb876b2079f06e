// See checkpoint_state.h.
#include "train/checkpoint_state.h"

#include <algorithm>
#include <optional>

namespace headrace::train {
namespace {

std::string DirectoryOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string FileOf(const std::string& path) { return path.substr(path.rfind('/') + 1); }

std::string Quote(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      quoted += {'\\', c};
    } else if (byte < 0x20 || byte == 0x7f) {
      for (const int shift : {6, 3, 0}) {
        if (shift == 6) quoted += '\\';
        quoted += static_cast<char>('0' + ((byte >> shift) & 7));
      }
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

// Reads a quoted text, which is all of `text` but spaces; nullopt when it is none.
std::optional<std::string> Unquote(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t"), end = text.find_last_not_of(" \t\r");
  if (begin == std::string_view::npos || end <= begin) return std::nullopt;
  const char quote = text[begin];
  if ((quote != '"' && quote != '\'') || text[end] != quote) return std::nullopt;
  std::string plain;
  for (size_t i = begin + 1; i < end; ++i) {
    if (text[i] != '\\') {
      plain += text[i];
      continue;
    }
    if (++i >= end) return std::nullopt;
    if (text[i] >= '0' && text[i] <= '7') {
      int value = 0;
      size_t digits = 0;
      for (; digits < 3 && i + digits < end && text[i + digits] >= '0' && text[i + digits] <= '7'; ++digits) {
        value = value * 8 + (text[i + digits] - '0');
      }
      plain += static_cast<char>(value);
      i += digits - 1;
    } else {
      plain += text[i] == 'n' ? '\n' : text[i] == 't' ? '\t' : text[i] == 'r' ? '\r' : text[i];
    }
  }
  return plain;
}

std::string Completed(const std::string& directory, const std::string& path) {
  return path.starts_with('/') ? path : JoinPath(directory, path);
}

}  // namespace

Result<CheckpointState> ReadCheckpointState(FileSystem& files, const std::string& directory) {
  const std::string path = JoinPath(directory, "checkpoint");
  if (!files.Exists(path)) return NotFound("No checkpoint state: ", path);
  HR_ASSIGN_OR_RETURN(const std::string text, ReadWholeFile(files, path));
  CheckpointState state;
  for (const std::string& line : StrSplit(text, '\n')) {
    const size_t colon = line.find(':');
    const std::string key = line.substr(0, std::min(colon, line.size()));
    if (key != "model_checkpoint_path" && key != "all_model_checkpoint_paths") continue;  // times, which nobody needs
    const std::optional<std::string> value = colon == std::string::npos ? std::nullopt : Unquote(std::string_view(line).substr(colon + 1));
    if (!value) return DataLoss(path, ": cannot be read as a checkpoint state: ", line);
    if (key == "model_checkpoint_path") {
      state.latest = Completed(directory, *value);
    } else {
      state.all.push_back(Completed(directory, *value));
    }
  }
  if (state.latest.empty()) return DataLoss(path, ": there is no model_checkpoint_path");
  return state;
}

Status WriteCheckpointState(FileSystem& files, const std::string& directory, const CheckpointState& state) {
  const auto shortened = [&](const std::string& path) { return DirectoryOf(path) == directory ? FileOf(path) : path; };
  std::string text = StrCat("model_checkpoint_path: ", Quote(shortened(state.latest)), "\n");
  for (const std::string& path : state.all) text += StrCat("all_model_checkpoint_paths: ", Quote(shortened(path)), "\n");
  return WriteFileAtomically(files, JoinPath(directory, "checkpoint"), text);
}

Result<std::string> LatestCheckpoint(FileSystem& files, const std::string& directory) {
  Result<CheckpointState> state = ReadCheckpointState(files, directory);
  if (state.ok()) return files.Exists(state->latest + ".index") ? state->latest : std::string();
  if (state.status().code() == Code::kNotFound) return std::string();
  return state.status();
}

Status DeleteCheckpoint(FileSystem& files, const std::string& prefix) {
  HR_ASSIGN_OR_RETURN(std::vector<std::string> doomed, files.Match(prefix + ".data-*-of-*"));
  // The index goes first: without it the rest is no checkpoint any more.
  doomed.insert(doomed.begin(), {prefix + ".index", prefix + ".meta"});
  for (const std::string& path : doomed) {
    if (files.Exists(path)) HR_RETURN_IF_ERROR(files.Delete(path));
  }
  return OkStatus();
}

Status CheckpointRetention::Recover(FileSystem& files, const std::string& directory) {
  Result<CheckpointState> state = ReadCheckpointState(files, directory);
  if (!state.ok()) return state.status().code() == Code::kNotFound ? OkStatus() : state.status();
  kept_ = state->all;
  if (std::ranges::find(kept_, state->latest) == kept_.end()) kept_.push_back(state->latest);
  return OkStatus();
}

Status CheckpointRetention::Add(FileSystem& files, const std::string& prefix) {
  std::erase(kept_, prefix);
  kept_.push_back(prefix);
  std::vector<std::string> doomed;
  while (max_to_keep_ > 0 && std::ssize(kept_) > max_to_keep_) {
    doomed.push_back(kept_.front());
    kept_.erase(kept_.begin());
  }
  HR_RETURN_IF_ERROR(WriteCheckpointState(files, DirectoryOf(prefix), {.latest = prefix, .all = kept_}));
  for (const std::string& old : doomed) HR_RETURN_IF_ERROR(DeleteCheckpoint(files, old));
  return OkStatus();
}

}  // namespace headrace::train
