#pragma once

namespace fleetmark {

// A visitor for std::visit made of one lambda for each case.
template <typename... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <typename... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

}  // namespace fleetmark
