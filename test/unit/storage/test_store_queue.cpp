// SPDX-License-Identifier: BSL-1.0
#include "storage/store.hpp"

#include "support/printing.hpp"
#include "support/storage/power_loss_env.hpp"
#include "support/storage/store_tools.hpp"

#include <boost/test/unit_test.hpp>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

namespace keywatch::storage {
namespace {

using leveldb::Slice;
using leveldb::Status;

/// A disk on which an append to a log can be held; it then fails halfway.
class GatedDisk final : public leveldb::EnvWrapper, public Disk {
public:
    explicit GatedDisk(test::PowerLossEnv& disk) : EnvWrapper(&disk), disk_(disk) {}

    void stop_next_append()
    {
        const std::lock_guard lock(mutex_);
        stop_ = true;
    }
    void wait_until_stopped()
    {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return stopped_; });
    }
    void let_it_fail()
    {
        const std::lock_guard lock(mutex_);
        failing_ = true;
        changed_.notify_all();
    }

    Status NewWritableFile(const std::string& name, leveldb::WritableFile** file) override
    {
        Status status = disk_.NewWritableFile(name, file);
        if (status.ok() && name.ends_with(".log")) {
            *file = new Log(*this, *file);
        }
        return status;
    }
    Status sync_directory(const std::string& name) override { return disk_.sync_directory(name); }
    Status sync_file(const std::string& name) override { return disk_.sync_file(name); }

private:
    class Log final : public leveldb::WritableFile {
    public:
        Log(GatedDisk& disk, leveldb::WritableFile* file) : disk_(disk), file_(file) {}
        Status Append(const Slice& data) override
        {
            if (disk_.stopped_here()) {
                file_->Append(Slice(data.data(), data.size() / 2));
                return Status::IOError("a full disk");
            }
            return file_->Append(data);
        }
        Status Sync() override { return file_->Sync(); }
        Status Flush() override { return file_->Flush(); }
        Status Close() override { return file_->Close(); }

    private:
        GatedDisk& disk_;
        std::unique_ptr<leveldb::WritableFile> file_;
    };

    bool stopped_here()
    {
        std::unique_lock lock(mutex_);
        if (!stop_) {
            return false;
        }
        stop_ = false;
        stopped_ = true;
        changed_.notify_all();
        changed_.wait(lock, [this] { return failing_; });
        return true;
    }

    test::PowerLossEnv& disk_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool stop_ = false;
    bool stopped_ = false;
    bool failing_ = false;
};

Batch one_put(const char* key)
{
    Batch batch;
    batch.put(data_prefix(1) + key, "value");
    return batch;
}

}  // namespace

// The queue of writes of a `Store`, if one of them fails.
BOOST_AUTO_TEST_SUITE(test_store_queue)

// LevelDB alone would write the second one after the torn first one, where opening would not find
// it.
BOOST_AUTO_TEST_CASE(a_write_queued_after_a_failing_one_fails_too)
{
    test::PowerLossEnv disk;
    GatedDisk gated(disk);
    const auto store = Store::open(Options("/db"), &gated);
    gated.stop_next_append();
    std::optional<Error> first;
    std::thread trimming([&] {
        Batch batch = one_put("first");
        first = test::error_of([&] { store->write(batch, false); });
    });
    gated.wait_until_stopped();
    std::optional<Error> second;
    std::thread committing([&] {
        Batch batch = one_put("second");
        second = test::error_of([&] { store->write(batch, false); });
    });
    for (int i = 0; i < 20'000; ++i) {
        std::this_thread::yield();  // gives the second write time to wait
    }
    gated.let_it_fail();
    trimming.join();
    committing.join();
    BOOST_TEST(first == Error::storage_failed);
    BOOST_TEST(second == Error::storage_failed);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace keywatch::storage
