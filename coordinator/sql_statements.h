#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

namespace fleetmark {

// A value for a BLOB column; a std::string goes to TEXT.
struct Blob {
  std::string bytes;
};

// A value for a placeholder that is only known at run time.
using SqlValue = std::variant<int64_t, double, std::string>;

// The prepared statements of one connection, each prepared once. Throws as SQLiteCpp does. Not thread-safe.
class SqlStatements {
 public:
  explicit SqlStatements(SQLite::Database* database) : database_(database) {}

  // The statement with `values` bound in order, ready to be stepped; valid until it is asked for again.
  template <typename... Values>
  SQLite::Statement& Bind(const std::string& sql, const Values&... values) {
    SQLite::Statement& statement = Prepared(sql);
    int index = 0;
    (BindOne(statement, ++index, values), ...);
    return statement;
  }
  // The same for values of which only the number is known at run time.
  SQLite::Statement& BindAll(const std::string& sql, const std::vector<SqlValue>& values) {
    SQLite::Statement& statement = Prepared(sql);
    int index = 0;
    for (const SqlValue& value : values) BindOne(statement, ++index, value);
    return statement;
  }
  // Runs one that returns no rows.
  template <typename... Values>
  void Execute(const std::string& sql, const Values&... values) {
    SQLite::Statement& statement = Bind(sql, values...);
    statement.exec();
    statement.reset();
  }

  static void BindOne(SQLite::Statement& statement, int index, int value) { statement.bind(index, value); }
  static void BindOne(SQLite::Statement& statement, int index, int64_t value) { statement.bind(index, value); }
  static void BindOne(SQLite::Statement& statement, int index, bool value) { statement.bind(index, value ? 1 : 0); }
  static void BindOne(SQLite::Statement& statement, int index, double value) { statement.bind(index, value); }
  static void BindOne(SQLite::Statement& statement, int index, const std::string& value) {
    statement.bind(index, value);
  }
  static void BindOne(SQLite::Statement& statement, int index, std::string_view value) {
    statement.bind(index, std::string(value));
  }
  static void BindOne(SQLite::Statement& statement, int index, const char* value) { statement.bind(index, value); }
  static void BindOne(SQLite::Statement& statement, int index, const Blob& value) {
    statement.bind(index, value.bytes.data(), static_cast<int>(value.bytes.size()));
  }
  static void BindOne(SQLite::Statement& statement, int index, const SqlValue& value) {
    std::visit([&](const auto& one) { BindOne(statement, index, one); }, value);
  }
  // NULL when empty: an optional number, or a reference to a row that may not be.
  template <typename T>
  static void BindOne(SQLite::Statement& statement, int index, const std::optional<T>& value) {
    if (value.has_value()) {
      BindOne(statement, index, *value);
    } else {
      statement.bind(index);
    }
  }

 private:
  SQLite::Statement& Prepared(const std::string& sql) {
    std::unique_ptr<SQLite::Statement>& statement = statements_[sql];
    if (statement == nullptr) {
      statement = std::make_unique<SQLite::Statement>(*database_, sql);
    } else {
      (void)statement->tryReset();  // tells of the last execution's error once more
      statement->clearBindings();
    }
    return *statement;
  }

  SQLite::Database* database_;
  std::unordered_map<std::string, std::unique_ptr<SQLite::Statement>> statements_;
};

// The first column of every row that is left.
inline std::vector<std::string> TextsOf(SQLite::Statement& rows) {
  std::vector<std::string> texts;
  while (rows.executeStep()) texts.push_back(rows.getColumn(0).getString());
  rows.reset();
  return texts;
}

// A column's bytes, as they are.
inline std::string BytesOf(const SQLite::Column& column) {
  return {static_cast<const char*>(column.getBlob()), static_cast<size_t>(column.getBytes())};
}

}  // namespace fleetmark
