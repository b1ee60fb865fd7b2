// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Includes all of keywatch, except the JSON conversions (`keywatch/json.hpp`).

/// @namespace keywatch
/// An embedded key-value store for Boost.Asio programs whose commits can be watched. Start with
/// `Database`.

#include <keywatch/backup.hpp>
#include <keywatch/btree.hpp>
#include <keywatch/btree_range.hpp>
#include <keywatch/bucket.hpp>
#include <keywatch/bulk_writer.hpp>
#include <keywatch/cursor.hpp>
#include <keywatch/database.hpp>
#include <keywatch/error.hpp>
#include <keywatch/key_pattern.hpp>
#include <keywatch/list.hpp>
#include <keywatch/message.hpp>
#include <keywatch/options.hpp>
#include <keywatch/position.hpp>
#include <keywatch/pull_watcher.hpp>
#include <keywatch/range.hpp>
#include <keywatch/selector.hpp>
#include <keywatch/set.hpp>
#include <keywatch/sorted_set.hpp>
#include <keywatch/stats.hpp>
#include <keywatch/time.hpp>
#include <keywatch/transaction.hpp>
#include <keywatch/transaction_function.hpp>
#include <keywatch/watch_callback.hpp>
#include <keywatch/watch_end.hpp>
#include <keywatch/watch_options.hpp>
#include <keywatch/watcher.hpp>
#include <keywatch/watcher_info.hpp>
