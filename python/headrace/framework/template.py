"""Functions that share their variables over all calls: tf.make_template."""

from .variable_scope import variable_scope


class Template:
    """A function whose first call makes its variables in a scope of its own; later calls find them there."""

    def __init__(self, name, function, unique_name=None, custom_getter=None, **arguments):
        self._name, self._function, self._unique_name = name, function, unique_name
        self._custom_getter, self._arguments = custom_getter, arguments
        self._scope = None
        self._made = False

    def _open(self):
        """The variable scope, made when it is first asked for."""
        if self._scope is None:
            if self._unique_name:
                opened = variable_scope(self._unique_name, custom_getter=self._custom_getter)
            else:
                opened = variable_scope(None, default_name=self._name, custom_getter=self._custom_getter)
            with opened as self._scope:
                pass
        return self._scope

    def __call__(self, *args, **kwargs):
        with variable_scope(self._open(), reuse=self._made or None):
            result = self._function(*args, **{**self._arguments, **kwargs})
        self._made = True
        return result

    @property
    def name(self):
        return self._name

    @property
    def func(self):
        return self._function

    @property
    def variable_scope(self):
        return self._open()

    @property
    def var_scope(self):
        return self._open()

    @property
    def variables(self):
        return self.global_variables + self.local_variables

    @property
    def trainable_variables(self):
        return self._open().trainable_variables()

    @property
    def global_variables(self):
        return self._open().global_variables()

    @property
    def local_variables(self):
        return self._open().local_variables()


def make_template(name_, func_, create_scope_now_=False, unique_name_=None, custom_getter_=None, **kwargs):
    """`func_` as a Template. `create_scope_now_`: its variables are named below the scope of this moment, not of its first call."""
    template = Template(name_, func_, unique_name_, custom_getter_, **kwargs)
    if create_scope_now_:
        template._open()
    return template
