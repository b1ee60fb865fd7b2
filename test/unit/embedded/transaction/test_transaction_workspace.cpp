// SPDX-License-Identifier: BSL-1.0
#include "embedded/transaction/transaction_workspace.hpp"

#include "support/printing.hpp"
#include "support/storage/store_tools.hpp"

#include <keywatch/transaction.hpp>

#include <boost/test/unit_test.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace keywatch;
using namespace keywatch::embedded;
using keywatch::test::error_of;

namespace {

/// Executes transactions one after another, like the engine, each durable before the next.
struct Transactions {
    std::unique_ptr<storage::Store> store = storage::Store::open(Options("memory:"));
    WriterState executed;
    MonotonicClock clock{Clock()};
    std::size_t max_bytes = std::size_t{1} << 20;
    std::shared_ptr<TransactionWorkspace> workspace;

    /// Executes one transaction; `workspace` then has its changes.
    void execute(const std::function<void(Transaction&)>& fn)
    {
        workspace = std::make_shared<TransactionWorkspace>(
            *store, executed, TransactionWorkspace::Limits{max_bytes, true, false}, clock);
        Transaction transaction(workspace);
        fn(transaction);
    }

    void commit(const std::function<void(Transaction&)>& fn)
    {
        execute(fn);
        workspace->check_size();
        storage::Batch batch;
        workspace->write_to(batch);
        store->write(batch, false);
        executed.catalogue.apply(workspace->catalogue_changes());
        executed.next_bucket = workspace->next_bucket();
        ++executed.head;
        workspace->finish();
    }

    /// Returns the messages of the last transaction, as a watcher would receive them.
    std::vector<Message> messages()
    {
        storage::Totals totals;
        const std::string record = workspace->record().finish(executed.head, Time{}, totals);
        record_ = storage::decode_record(executed.head + 1, record);
        return {record_->messages.begin(), record_->messages.end()};
    }

    std::size_t keys_in_store() const
    {
        std::size_t keys = 0;
        const auto iterator = store->iterate(nullptr, false);
        for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
            ++keys;
        }
        return keys;
    }

private:
    std::shared_ptr<const CommitRecord> record_;
};

struct WithBucket : Transactions {
    WithBucket()
    {
        commit([](Transaction& tx) {
            tx.create_bucket(Structure::btree, "b");
            tx.btree("b").put("old", "1");
        });
    }
};

}  // namespace

// `TransactionWorkspace`: what a transaction reads, writes and refuses.
BOOST_FIXTURE_TEST_SUITE(test_transaction_workspace, WithBucket)

BOOST_AUTO_TEST_CASE(a_transaction_reads_its_own_writes_over_stored_values)
{
    execute([](Transaction& tx) {
        BTree tree = tx.btree("b");
        BOOST_TEST(tree.get("old") == "1");
        tree.put("old", "2");
        tree.put("new", "3");
        BOOST_TEST(tree.get("old") == "2");
        BOOST_TEST(tree.scan().to_vector().size() == 2U);
        BOOST_TEST(tree.erase("old"));
        BOOST_TEST(!tree.erase("old"));
        BOOST_TEST(!tree.contains("old"));
        BOOST_TEST(tree.scan().to_vector().size() == 1U);
    });
}

BOOST_AUTO_TEST_CASE(it_reads_executed_writes_that_are_not_durable)
{
    auto writes = std::make_shared<WriteSet>();
    const storage::BucketId id = *executed.catalogue.find(Structure::btree, "b");
    writes->put(storage::data_prefix(id) + "waiting", std::string("w\0", 2));
    writes->erase(storage::data_prefix(id) + "old");
    executed.overlay.add(2, writes);
    execute([](Transaction& tx) {
        BOOST_TEST(tx.btree("b").get("waiting") == "w");
        BOOST_TEST(!tx.btree("b").contains("old"));
        BOOST_TEST(tx.btree("b").scan().to_vector().size() == 1U);
    });
}

BOOST_AUTO_TEST_CASE(a_transaction_that_throws_leaves_no_trace)
{
    const std::size_t keys = keys_in_store();
    BOOST_CHECK_THROW(execute([](Transaction& tx) {
                          tx.create_bucket(Structure::btree, "c");
                          tx.btree("c").put("k", "1");
                          tx.btree("b").erase("old");
                          tx.delete_bucket(Structure::btree, "b");
                          throw std::runtime_error("no");
                      }),
                      std::runtime_error);
    BOOST_TEST(keys_in_store() == keys);
    execute([](Transaction& tx) {
        BOOST_TEST(!tx.has_bucket(Structure::btree, "c"));
        BOOST_TEST(tx.btree("b").get("old") == "1");
    });
    BOOST_TEST(!workspace->changed_anything());
    BOOST_TEST(workspace->next_bucket() == executed.next_bucket);
}

BOOST_AUTO_TEST_CASE(reading_and_tagging_change_nothing)
{
    execute([](Transaction& tx) {
        tx.set_origin("me");
        tx.btree("b").erase("not there");
        tx.btree("b").get("old");
    });
    BOOST_TEST(!workspace->changed_anything());
}

BOOST_AUTO_TEST_CASE(a_recreated_bucket_is_empty)
{
    commit([](Transaction& tx) {
        tx.delete_bucket(Structure::btree, "b");
        BOOST_TEST(!tx.has_bucket(Structure::btree, "b"));
        tx.create_bucket(Structure::btree, "b");
        BOOST_TEST(!tx.btree("b").contains("old"));
        BOOST_TEST(tx.btree("b").scan().to_vector().empty());
        tx.btree("b").put("new", "2");
    });
    execute([](Transaction& tx) {
        BOOST_TEST(tx.btree("b").scan().to_vector().size() == 1U);
        BOOST_TEST(tx.buckets().size() == 1U);
    });
}

BOOST_AUTO_TEST_CASE(a_bucket_created_and_deleted_in_one_transaction_does_not_exist)
{
    commit([](Transaction& tx) {
        for (int i = 0; i < 3; ++i) {
            tx.create_bucket(Structure::btree, "c");
            tx.btree("c").put("k", "1");
            tx.delete_bucket(Structure::btree, "c");
        }
    });
    BOOST_TEST(!executed.catalogue.find(Structure::btree, "c"));
    BOOST_TEST(!store->get(storage::bucket_key(Structure::btree, "c"), nullptr));
    // Each of them is recorded for the background to erase, and its id is not used again.
    BOOST_TEST(
        store->get(storage::orphan_key(storage::data_prefix(executed.next_bucket - 1)), nullptr)
            .has_value());
    BOOST_TEST(executed.next_bucket == 5U);
}

BOOST_AUTO_TEST_CASE(a_view_of_a_deleted_bucket_is_stale_for_good)
{
    execute([](Transaction& tx) {
        BTree old = tx.btree("b");
        BTreeIterator iterator = old.iterator();
        tx.delete_bucket(Structure::btree, "b");
        BOOST_TEST(error_of([&] { tx.btree("b"); }) == Error::bucket_not_found);
        tx.create_bucket(Structure::btree, "b");
        BOOST_TEST(error_of([&] { old.get("old"); }) == Error::bucket_not_found);
        BOOST_TEST(error_of([&] { old.put("k", "1"); }) == Error::bucket_not_found);
        BOOST_TEST(error_of([&] { old.erase("old"); }) == Error::bucket_not_found);
        BOOST_TEST(error_of([&] { old.iterator(); }) == Error::bucket_not_found);
        BOOST_TEST(!tx.btree("b").contains("k"));
    });
}

BOOST_AUTO_TEST_CASE(the_last_structure_of_a_name_ends_it)
{
    commit([](Transaction& tx) {
        tx.create_bucket(Structure::set, "b");
        tx.create_bucket(Structure::sorted_set, "b");
    });
    execute([](Transaction& tx) {
        tx.delete_bucket(Structure::btree, "b");
        tx.delete_bucket(Structure::set, "b");
        tx.delete_bucket(Structure::sorted_set, "b");
        tx.create_bucket(Structure::list, "b");
        tx.delete_bucket(Structure::list, "b");
    });
    std::vector<bool> ends;
    for (const Message& each : messages()) {
        ends.push_back(each.ends_bucket);
    }
    BOOST_TEST(ends == (std::vector<bool>{false, false, true, false, true}));
}

BOOST_AUTO_TEST_CASE(messages_describe_all_changes_in_order)
{
    execute([](Transaction& tx) {
        tx.set_origin("me");
        tx.btree("b").put("k", "1");
        tx.create_bucket(Structure::btree, "c");
        tx.btree("c").put("k", "");
        tx.btree("b").erase("old");
    });
    const auto all = messages();
    BOOST_TEST_REQUIRE(all.size() == 4U);
    BOOST_TEST(all[0].bucket == "b");
    BOOST_TEST(all[0].value == "1");
    BOOST_TEST(all[0].origin == "me");
    BOOST_TEST(all[1].operation == Operation::bucket_created);
    BOOST_TEST(all[2].bucket == "c");
    BOOST_TEST(all[3].operation == Operation::erase);
    BOOST_TEST(all[3].previous == "1");
    BOOST_TEST(all[3].index == 3U);
}

BOOST_AUTO_TEST_CASE(misuse_of_buckets_has_its_errors)
{
    execute([](Transaction& tx) {
        const auto create = [&](const std::string& name) {
            return error_of([&] { tx.create_bucket(Structure::btree, name); });
        };
        BOOST_TEST(create("b") == Error::bucket_exists);
        BOOST_TEST(create("") == Error::invalid_name);
        BOOST_TEST(create(std::string(65536, 'n')) == Error::invalid_name);
        BOOST_CHECK(!create(std::string(65535, 'n')));
        BOOST_TEST(error_of([&] { tx.delete_bucket(Structure::set, "b"); }) ==
                   Error::bucket_not_found);
        BOOST_TEST(error_of([&] { tx.set_origin(std::string(65536, 'o')); }) ==
                   Error::invalid_name);
    });
}

BOOST_AUTO_TEST_CASE(a_transaction_that_is_too_large_fails_even_if_it_swallows_that)
{
    max_bytes = 10000;
    BOOST_TEST(error_of([&] {
                   commit([](Transaction& tx) {
                       BOOST_CHECK(error_of([&] {
                                       tx.btree("b").put("k", std::string(10000, 'v'));
                                   }) == Error::transaction_too_large);
                       tx.btree("b").put("k", "small");
                   });
               }) == Error::transaction_too_large);
    execute([](Transaction& tx) { BOOST_TEST(!tx.btree("b").contains("k")); });
}

BOOST_AUTO_TEST_CASE(many_small_writes_are_too_large_as_well)
{
    max_bytes = 10000;
    int written = 0;
    BOOST_TEST(error_of([&] {
                   commit([&](Transaction& tx) {
                       for (;; ++written) {
                           tx.btree("b").put(std::to_string(written), "");
                       }
                   });
               }) == Error::transaction_too_large);
    BOOST_TEST(written > 10);
    BOOST_TEST(written < 200);
}

// An erase records the previous value in history.
BOOST_AUTO_TEST_CASE(erased_values_count)
{
    commit([](Transaction& tx) {
        tx.btree("b").put("1", std::string(7000, 'v'));
        tx.btree("b").put("2", std::string(7000, 'v'));
    });
    max_bytes = 10000;
    BOOST_TEST(error_of([&] {
                   commit([&](Transaction& tx) {
                       tx.btree("b").erase("1");
                       tx.btree("b").erase("2");
                   });
               }) == Error::transaction_too_large);
}

BOOST_AUTO_TEST_CASE(nothing_of_it_can_be_used_after_its_function_has_returned)
{
    std::optional<Transaction> kept;
    std::optional<BTree> tree;
    std::optional<BTreeIterator> iterator;
    commit([&](Transaction& tx) {
        kept = tx;
        tree = tx.btree("b");
        iterator = tree->iterator();
        iterator->first();
        BOOST_TEST(iterator->valid());
    });
    store.reset();  // destroyed before its users
    const auto finished = Error::transaction_finished;
    BOOST_TEST(error_of([&] { kept->has_bucket(Structure::btree, "b"); }) == finished);
    BOOST_TEST(error_of([&] { kept->buckets(); }) == finished);
    BOOST_TEST(error_of([&] { kept->revision(); }) == finished);
    BOOST_TEST(error_of([&] { kept->btree("b"); }) == finished);
    BOOST_TEST(error_of([&] { kept->create_bucket(Structure::btree, "c"); }) == finished);
    BOOST_TEST(error_of([&] { kept->delete_bucket(Structure::btree, "b"); }) == finished);
    BOOST_TEST(error_of([&] { kept->set_origin("o"); }) == finished);
    BOOST_TEST(error_of([&] { tree->get("old"); }) == finished);
    BOOST_TEST(error_of([&] { tree->put("k", "1"); }) == finished);
    BOOST_TEST(error_of([&] { tree->iterator(); }) == finished);
    BOOST_TEST(error_of([&] { tree->scan().to_vector(); }) == finished);
    BOOST_TEST(error_of([&] { iterator->valid(); }) == finished);
    BOOST_TEST(error_of([&] { iterator->value(); }) == finished);
}

BOOST_AUTO_TEST_SUITE_END()
