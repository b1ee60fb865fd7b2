// SPDX-License-Identifier: BSL-1.0
#include "monitor.hpp"
#include "settings.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <iostream>

namespace {

void run(const system_monitor::Settings& settings)
{
    boost::asio::io_context context(1);
    system_monitor::Monitor monitor(context.get_executor(), settings);
    boost::asio::co_spawn(context, monitor.run(), keywatch::rethrow);
    context.run();
}

}  // namespace

int main(int argc, char** argv)
{
    try {
        const system_monitor::Settings settings = system_monitor::parse_settings(argc, argv);
        if (settings.help) {
            std::cout << system_monitor::help_text();
        } else {
            run(settings);
        }
    } catch (const system_monitor::UsageError& error) {
        std::cerr << "system_monitor: " << error.what() << "\nTry --help.\n";
        return 2;
    } catch (const std::exception& error) {
        std::cerr << "system_monitor: " << error.what() << '\n';
        return 1;
    }
}
