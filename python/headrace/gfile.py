"""tf.gfile: files and directories of this machine, with tf.errors for what fails."""

import errno
import glob as _glob
import os
import shutil

from .framework import errors

_KINDS = {errno.ENOENT: errors.NotFoundError, errno.EEXIST: errors.AlreadyExistsError,
          errno.EACCES: errors.PermissionDeniedError, errno.EPERM: errors.PermissionDeniedError,
          errno.ENOTDIR: errors.FailedPreconditionError, errno.EISDIR: errors.FailedPreconditionError,
          errno.ENOTEMPTY: errors.FailedPreconditionError, errno.ENOSPC: errors.ResourceExhaustedError}


class _raising:
    """Turns OSError into the tf.errors class of its kind."""

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        if isinstance(error, OSError):
            text = f"{error.filename or ''}; {error.strerror or error}"
            raise _KINDS.get(error.errno, errors.UnknownError)(None, None, text) from None


def _path(path):
    path = os.fspath(path)
    path = path.decode() if isinstance(path, bytes) else path
    return path[7:] if path.startswith("file://") else path


class GFile:
    """A file: "r", "w", "a", and "b" with them; reads text unless "b"."""

    def __init__(self, name, mode="r"):
        self._name, self._mode, self._file = _path(name), mode, None

    name = property(lambda self: self._name)
    mode = property(lambda self: self._mode)

    def _open(self):
        if self._file is None:
            with _raising():
                self._file = open(self._name, self._mode)
        return self._file

    def read(self, n=-1):
        with _raising():
            return self._open().read(n)

    def readline(self):
        return self._open().readline()

    def readlines(self):
        return self._open().readlines()

    def write(self, file_content):
        with _raising():
            if "b" in self._mode and isinstance(file_content, str):
                file_content = file_content.encode()
            self._open().write(file_content)

    def seek(self, offset, whence=0):
        self._open().seek(offset, whence)

    def tell(self):
        return self._open().tell()

    def size(self):
        with _raising():
            return os.path.getsize(self._name)

    def flush(self):
        if self._file is not None:
            self._file.flush()

    def close(self):
        if "r" not in self._mode:
            self._open()
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self):
        return self

    def __exit__(self, *raised):
        self.close()

    def __iter__(self):
        return iter(self._open())


FastGFile = Open = GFile


def Exists(filename):
    return os.path.exists(_path(filename))


def IsDirectory(dirname):
    return os.path.isdir(_path(dirname))


def Glob(filename):
    """The names that match a pattern (or any of a list), sorted."""
    patterns = [filename] if isinstance(filename, (str, bytes, os.PathLike)) else filename
    return sorted(name for pattern in patterns for name in _glob.glob(_path(pattern)))


def MkDir(dirname):
    with _raising():
        os.mkdir(_path(dirname))


def MakeDirs(dirname):
    with _raising():
        os.makedirs(_path(dirname), exist_ok=True)


def ListDirectory(dirname):
    with _raising():
        return os.listdir(_path(dirname))


def Remove(filename):
    with _raising():
        os.remove(_path(filename))


def DeleteRecursively(dirname):
    with _raising():
        shutil.rmtree(_path(dirname))


def Rename(oldname, newname, overwrite=False):
    with _raising():
        if not overwrite and os.path.exists(_path(newname)):
            raise FileExistsError(errno.EEXIST, "file already exists", newname)
        os.replace(_path(oldname), _path(newname))


def Copy(oldpath, newpath, overwrite=False):
    with _raising():
        if not overwrite and os.path.exists(_path(newpath)):
            raise FileExistsError(errno.EEXIST, "file already exists", newpath)
        shutil.copyfile(_path(oldpath), _path(newpath))


def Stat(filename):
    with _raising():
        found = os.stat(_path(filename))
        return type("FileStatistics", (), {"length": found.st_size, "mtime_nsec": found.st_mtime_ns,
                                           "is_directory": os.path.isdir(_path(filename))})()


def Walk(top, in_order=True):
    yield from os.walk(_path(top), topdown=in_order)


exists, isdir, glob, mkdir, makedirs, listdir, remove, rmtree, rename, copy, stat, walk = (
    Exists, IsDirectory, Glob, MkDir, MakeDirs, ListDirectory, Remove, DeleteRecursively, Rename, Copy, Stat, Walk)
