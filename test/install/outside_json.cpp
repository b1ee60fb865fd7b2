// SPDX-License-Identifier: BSL-1.0
// A program outside the tree that has nlohmann_json and uses keywatch/json.hpp.
#include <keywatch/json.hpp>

#include <iostream>

int main()
{
    keywatch::Message message;
    message.key = "k\xff";
    const nlohmann::json json = message;
    const auto copy = json.get<keywatch::OwnedMessage>();
    std::cout << (copy->key == message.key ? "all holds" : "the key is another one") << '\n';
}
