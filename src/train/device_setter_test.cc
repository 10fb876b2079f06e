// Tests of device_setter.h.
#include "train/device_setter.h"

#include <gtest/gtest.h>

namespace headrace::train {
namespace {

TEST(DeviceSetterTest, StateGoesRoundTheParameterServersAndTheRestToTheWorkers) {
  const DeviceFunction setter = ReplicaDeviceSetter({.ps_tasks = 2});
  EXPECT_EQ(setter("VarHandleOp", ""), "/job:ps/task:0");
  EXPECT_EQ(setter("MatMul", ""), "/job:worker");
  EXPECT_EQ(setter("VariableV2", ""), "/job:ps/task:1");
  EXPECT_EQ(setter("VarHandleOp", ""), "/job:ps/task:0");
}

TEST(DeviceSetterTest, CopiesShareTheTurn) {
  const DeviceFunction setter = ReplicaDeviceSetter({.ps_tasks = 2});
  const DeviceFunction copy = setter;
  EXPECT_EQ(setter("VarHandleOp", ""), "/job:ps/task:0");
  EXPECT_EQ(copy("VarHandleOp", ""), "/job:ps/task:1");
}

TEST(DeviceSetterTest, InnerWishesWinFieldByField) {
  const DeviceFunction setter = ReplicaDeviceSetter({.ps_tasks = 2, .worker_device = "/job:worker/task:1"});
  EXPECT_EQ(setter("MatMul", "/device:GPU:0"), "/job:worker/task:1/device:GPU:0");
  EXPECT_EQ(setter("VarHandleOp", "/job:worker/task:0"), "/job:worker/task:0") << "another job: no turn is taken";
  EXPECT_EQ(setter("VarHandleOp", "/device:CPU:0"), "/job:ps/task:0/device:CPU:0");
}

TEST(DeviceSetterTest, WithoutParameterServersItAsksForNothing) {
  const DeviceFunction setter = ReplicaDeviceSetter({.ps_tasks = 0});
  EXPECT_EQ(setter("VarHandleOp", ""), "");
  EXPECT_EQ(setter("MatMul", "/job:worker"), "/job:worker");
}

TEST(DeviceSetterTest, TheOpsThatHoldStateCanBeNamed) {
  const DeviceFunction setter = ReplicaDeviceSetter({.ps_tasks = 1, .ps_device = "/job:keeper", .ps_ops = {"Keep"}});
  EXPECT_EQ(setter("Keep", ""), "/job:keeper/task:0");
  EXPECT_EQ(setter("VarHandleOp", ""), "/job:worker");
}

}  // namespace
}  // namespace headrace::train
