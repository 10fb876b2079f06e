"""Plants what each check forbids, and sees it found."""
import importlib.machinery
import importlib.util
import pathlib
import subprocess
import tempfile
import unittest

TOOLS = pathlib.Path(__file__).parents[2] / "tools"


def load(name):
    loader = importlib.machinery.SourceFileLoader(name, str(TOOLS / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


class Tree(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.write("src/rooms.txt", "# from the ground up\nbase\nsync\ngraph\nops\nrpc\n")

    def write(self, path, text):
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)


class Rooms(Tree):
    check = staticmethod(load("check_rooms").check_rooms)

    def errors(self, path, include):
        self.write(path, f"// A file.\n#include {include}\n")
        return self.check(self.root)

    def test_a_room_may_include_what_stands_above(self):
        self.assertEqual(self.errors("src/graph/node.cc", '"base/status.h"'), [])

    def test_a_room_may_not_include_what_stands_below(self):
        error = 'graph/node.cc:2: room graph may not include "ops/math/all.h": ops stands below it'
        self.assertEqual(self.errors("src/graph/node.cc", '"ops/math/all.h"'), [error])

    def test_a_test_may_include_every_room(self):
        self.assertEqual(self.errors("src/graph/node_test.cc", '"ops/all.h"'), [])

    def test_a_file_outside_of_every_room_is_an_error(self):
        self.assertEqual(len(self.errors("src/stray.cc", "<vector>")), 1)
        self.assertEqual(len(self.errors("src/unknown/stray.cc", "<vector>")), 2)

    def test_fences(self):
        for path, include, allowed in [
            ("src/rpc/a.cc", "<grpcpp/grpcpp.h>", True),
            ("src/graph/a.cc", "<grpcpp/grpcpp.h>", False),
            ("src/graph/node_proto.cc", '"headrace/proto/graph.pb.h"', True),
            ("src/graph/import.cc", '"headrace/proto/graph.pb.h"', True),
            ("src/graph/node.h", '"headrace/proto/graph.pb.h"', False),
            ("src/ops/math/a.cc", "<dnnl.hpp>", True),
            ("src/base/a.cc", "<dnnl.hpp>", False),
            ("src/base/a.cc", "<hwy/highway.h>", False),
            ("src/sync/a.cc", "<thread>", True),
            ("src/graph/a.cc", "<condition_variable>", False),
            ("src/graph/a_test.cc", "<thread>", True),
            ("src/graph/a.cc", "<mutex>", True),
            ("src/graph/a.cc", "<fstream>", False),
        ]:
            with self.subTest(path=path, include=include):
                self.assertEqual(self.errors(path, include) == [], allowed)
                (self.root / path).unlink()


class Sizes(Tree):
    check = staticmethod(load("check_sizes").check_sizes)

    def function(self, lines):
        return "namespace headrace {\nvoid F(\n    int a) {\n" + "  g();\n" * (lines - 3) + "}\n}  // namespace headrace\n"

    def test_short_files_pass_in_silence(self):
        self.write("src/base/a.cc", self.function(40))
        self.assertEqual(self.check(self.root), ([], []))

    def test_past_the_target_is_told_and_past_the_limit_fails(self):
        self.write("src/base/a.cc", self.function(41))
        self.assertEqual(self.check(self.root), ([], ["src/base/a.cc:void F( (41)"]))
        self.write("src/base/a.cc", self.function(81))
        self.assertEqual(self.check(self.root)[0], ["src/base/a.cc:void F(: 81 lines, more than 80"])
        self.write("src/base/a.cc", "//\n" * 501)
        self.assertEqual(self.check(self.root)[0], ["src/base/a.cc: 501 lines, more than 500"])

    def test_tests_may_be_longer(self):
        self.write("src/base/a_test.cc", "//\n" * 700)
        self.assertEqual(self.check(self.root)[0], [])

    def test_an_exception_only_shrinks(self):
        self.write("tools/size_exceptions.txt", "src/base/a.cc 600\n")
        for lines, errors in [(600, 0), (601, 1), (599, 1), (10, 1)]:
            self.write("src/base/a.cc", "//\n" * lines)
            self.assertEqual(len(self.check(self.root)[0]), errors, lines)
        (self.root / "src/base/a.cc").unlink()
        self.assertEqual(len(self.check(self.root)[0]), 1)


class Text(Tree):
    check = staticmethod(load("check_text").check_text)

    def test_finds_what_is_forbidden(self):
        subprocess.run(["git", "init", "-q"], cwd=self.root, check=True)
        for line, errors in [("int a;", 0), ("// TODO: more", 1), ("x\t= 1;", 1), ("x = 1; ", 1), ('"/home/me/x"', 1), ("src/home/me", 0)]:
            self.write("src/base/a.cc", line + "\n")
            self.assertEqual(len(self.check(self.root)), errors, line)
        self.write("src/base/a.cc", "no end")
        self.assertEqual(len(self.check(self.root)), 1)


if __name__ == "__main__":
    unittest.main()
