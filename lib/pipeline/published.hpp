// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace keywatch::pipeline {

/// Shows the others where a local of a coroutine is, as long as it is there: a channel, or a timer.
template <class T>
class Published {
public:
    Published(T*& place, T& local) : place_(place) { place_ = &local; }
    Published(const Published&) = delete;
    Published& operator=(const Published&) = delete;
    ~Published() { place_ = nullptr; }

private:
    T*& place_;
};

}  // namespace keywatch::pipeline
