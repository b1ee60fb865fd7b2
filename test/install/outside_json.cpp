// SPDX-License-Identifier: BSL-1.0
// A program outside of the tree, which has nlohmann_json, and asks for keywatch/json.hpp.
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
