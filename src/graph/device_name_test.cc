#include "graph/device_name.h"

#include "gmock/gmock.h"

namespace headrace {
namespace {

DeviceName Parsed(std::string_view text) {
  Result<DeviceName> device = DeviceName::Parse(text);
  EXPECT_TRUE(device.ok()) << device.status().ToString();
  return device.ok() ? *device : DeviceName();
}

TEST(DeviceNameTest, ReadsEveryLegalForm) {
  const std::pair<const char*, const char*> cases[] = {
      {"", ""},
      {"/", ""},
      {"/job:ps/replica:0/task:1/device:CPU:0", "/job:ps/replica:0/task:1/device:CPU:0"},
      {"/device:CPU:0/task:1/job:ps", "/job:ps/task:1/device:CPU:0"},
      {"/job:a/job:b", "/job:b"},
      {"/job:a/job:*", ""},
      {"/job:*/task:3", "/task:3"},
      {"/cpu:0", "/device:CPU:0"},
      {"/GPU:1", "/device:GPU:1"},
      {"/gpu:*", "/device:GPU:*"},
      {"/device:gpu", "/device:GPU:*"},
      {"/device:*", ""},
      {"/device:*:2", "/device:*:2"},
      {"/job:ps/cpu:0", "/job:ps/device:CPU:0"},
      {"/device:XLA_CPU:0", "/device:XLA_CPU:0"},
  };
  for (const auto& [text, canonical] : cases) {
    EXPECT_EQ(Parsed(text).ToString(), canonical) << text;
    EXPECT_EQ(Parsed(canonical), Parsed(text)) << text;
  }
}

TEST(DeviceNameTest, QuotesWhatItCannotRead) {
  for (const char* text :
       {"cpu:0", "/job:", "/job:1x", "/job:a-b", "/task:x", "/task:-1", "/task:99999999999", "/cpu", "/cpu:x",
        "/device:", "/device:CPU:", "/frame:1", "//", "/job:a//task:1", "/job:a/", "/device:CPU:0:1"}) {
    const Result<DeviceName> parsed = DeviceName::Parse(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.status().code(), Code::kInvalidArgument);
    EXPECT_THAT(parsed.status().message(), ::testing::HasSubstr(StrCat("'", text, "'")));
  }
}

TEST(DeviceNameTest, AFullNameHasAllParts) {
  EXPECT_TRUE(DeviceName::ParseFull("/job:a/replica:0/task:0/cpu:0").ok());
  EXPECT_FALSE(DeviceName::ParseFull("/job:a/task:0/cpu:0").ok());
  EXPECT_EQ(Parsed("/job:a/replica:0/task:2/cpu:0").TaskName(), "/job:a/replica:0/task:2");
}

TEST(DeviceNameTest, InnerSpecificationsWinAndOthersStay) {
  EXPECT_EQ(Parsed("/job:ps/task:1/cpu:0").MergedWith(Parsed("/task:2")).ToString(), "/job:ps/task:2/device:CPU:0");
  EXPECT_EQ(Parsed("/job:ps").MergedWith(Parsed("")).ToString(), "/job:ps");
}

TEST(DeviceNameTest, MatchingAsksForEveryGivenPart) {
  const DeviceName full = Parsed("/job:ps/replica:0/task:1/device:CPU:0");
  EXPECT_TRUE(Parsed("/job:ps").Matches(full));
  EXPECT_TRUE(Parsed("").Matches(full));
  EXPECT_FALSE(Parsed("/job:ps/task:0").Matches(full));
  EXPECT_FALSE(full.Matches(Parsed("/job:ps")));
  EXPECT_TRUE(full.IsCompatibleWith(Parsed("/job:ps")));
  EXPECT_FALSE(Parsed("/task:0").IsCompatibleWith(full));
}

}  // namespace
}  // namespace headrace
