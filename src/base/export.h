// Marks what libheadrace.so shows to programs; everything else is hidden.
#pragma once

#define HR_EXPORT [[gnu::visibility("default")]]
