// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace keywatch::pipeline {

/// Stores a pointer to a local variable of a coroutine (a channel, or a timer) where other
/// functions find it, for as long as the variable exists.
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
