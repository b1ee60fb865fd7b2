// SPDX-License-Identifier: BSL-1.0
// Where packages of LevelDB install this header.
#include "../../../helpers/memenv/memenv.h"
