#include "outbox/event_rows.hpp"
#include "outbox/pgoutput.hpp"
#include "outbox/replication_message.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

using namespace relais;
using namespace relais::outbox;
using namespace std::string_literals;

namespace {

/// Big-endian bytes for the messages below.
std::string be(std::uint64_t value, int size) {
    std::string bytes;
    for (int i = size - 1; i >= 0; --i) {
        bytes.push_back(static_cast<char>(value >> (8 * i)));
    }
    return bytes;
}

std::string text_value(const std::string& text) {
    return "t" + be(text.size(), 4) + text;
}

std::string binary_value(const std::string& bytes) {
    return "b" + be(bytes.size(), 4) + bytes;
}

std::string relation_message(const std::vector<std::string>& columns,
                             const std::string& name = "outbox_event") {
    auto bytes = "R" + be(77, 4) + "public\0"s + name + "\0d"s + be(columns.size(), 2);
    for (const auto& column : columns) {
        bytes += "\0"s + column + "\0"s + be(25, 4) + be(0xffffffff, 4);
    }
    return bytes;
}

std::string insert_message(const std::vector<std::string>& values) {
    auto bytes = "I" + be(77, 4) + "N" + be(values.size(), 2);
    for (const auto& value : values) {
        bytes += value;
    }
    return bytes;
}

const std::vector<std::string> usual_columns{"seq", "topic", "key", "headers", "value"};

result<std::optional<outbox::outgoing>> row(const std::vector<std::string>& columns,
                                            const std::vector<std::string>& values) {
    event_rows rows;
    const auto table = relation_message(columns);
    rows.describe(std::get<pgoutput::relation>(pgoutput::decode(table).value()));
    const auto message = insert_message(values);
    return rows.read(std::get<pgoutput::insert>(pgoutput::decode(message).value()));
}

} // namespace

TEST_CASE("begin and commit carry positions and times", "[outbox]") {
    const auto begin_bytes = "B" + be(0x16B374D848, 8) + be(817'171'200'000'000, 8) + be(4711, 4);
    const auto begun = pgoutput::decode(begin_bytes);
    REQUIRE(begun);
    const auto& begin = std::get<pgoutput::begin>(*begun);
    CHECK(begin.commit_lsn == 0x16B374D848);
    CHECK(begin.xid == 4711);
    CHECK(begin.committed_at.time_since_epoch() == std::chrono::seconds(817'171'200 + 946'684'800));

    const auto commit_bytes = "C\0"s + be(5, 8) + be(9, 8) + be(0, 8);
    const auto ended = pgoutput::decode(commit_bytes);
    REQUIRE(ended);
    CHECK(std::get<pgoutput::commit>(*ended).commit_lsn == 5);
    CHECK(std::get<pgoutput::commit>(*ended).end_lsn == 9);
}

TEST_CASE("relation, insert and logical message are decoded", "[outbox]") {
    const auto table = relation_message({"a", "b"}, "t");
    const auto described = pgoutput::decode(table);
    REQUIRE(described);
    const auto& relation = std::get<pgoutput::relation>(*described);
    CHECK(relation.id == 77);
    CHECK(relation.schema == "public");
    CHECK(relation.name == "t");
    REQUIRE(relation.columns.size() == 2);
    CHECK(relation.columns[1].name == "b");
    CHECK(relation.columns[1].type_oid == 25);

    const auto bytes = insert_message({text_value("x"), "n", binary_value("\0\1"s)});
    const auto inserted = pgoutput::decode(bytes);
    REQUIRE(inserted);
    const auto& insert = std::get<pgoutput::insert>(*inserted);
    REQUIRE(insert.values.size() == 3);
    CHECK(insert.values[0]->bytes == "x");
    CHECK_FALSE(insert.values[0]->binary);
    CHECK_FALSE(insert.values[1]);
    CHECK(insert.values[2]->bytes == "\0\1"s);
    CHECK(insert.values[2]->binary);

    const auto note = "M\1"s + be(7, 8) + "prefix\0"s + be(2, 4) + "hi";
    const auto noted = pgoutput::decode(note);
    REQUIRE(noted);
    const auto& message = std::get<pgoutput::logical_message>(*noted);
    CHECK(message.transactional);
    CHECK(message.at == 7);
    CHECK(message.prefix == "prefix");
    CHECK(message.content == "hi");
}

TEST_CASE("every truncation of a message is refused, none is read past its end", "[outbox]") {
    const auto whole = GENERATE(
        "B" + be(1, 8) + be(2, 8) + be(3, 4), "C\0"s + be(5, 8) + be(9, 8) + be(0, 8),
        relation_message({"a", "b"}), insert_message({text_value("x"), "n", binary_value("\0\1"s)}),
        "M\1"s + be(7, 8) + "prefix\0"s + be(2, 4) + "hi");
    CHECK(pgoutput::decode(whole));
    for (std::size_t size = 1; size < whole.size(); ++size) {
        CAPTURE(size);
        // A copy of its own, so that the sanitizer sees a read past the end.
        const std::string cut(whole.data(), size);
        const auto decoded = pgoutput::decode(cut);
        REQUIRE_FALSE(decoded);
        CHECK(decoded.error().slug == "pgoutput-undecodable");
    }
    CHECK_FALSE(pgoutput::decode(""));
    CHECK_FALSE(pgoutput::decode("I" + be(1, 4) + "N" + be(1, 2) + "u"));
}

TEST_CASE("messages that do not concern us are let by", "[outbox]") {
    for (const auto* bytes : {"Yabc", "O12345678", "U", "T"}) {
        const auto decoded = pgoutput::decode(bytes);
        REQUIRE(decoded);
        CHECK(std::get<pgoutput::other>(*decoded).kind == bytes[0]);
    }
}

TEST_CASE("a row becomes a record, whatever the order of columns", "[outbox]") {
    const auto made =
        row({"value", "headers", "added later", "key", "topic", "seq"},
            {binary_value("\0payload"s), binary_value(R"({"ce_id":"1","b":"é"})"), "n",
             text_value("k"), text_value("a.b.events.v1"), binary_value(be(258, 8))});
    REQUIRE(made);
    REQUIRE(*made);
    CHECK((*made)->seq == 258);
    const auto& record = (*made)->record;
    CHECK(record.topic == "a.b.events.v1");
    CHECK(record.key == "k");
    CHECK(record.value == "\0payload"s);
    CHECK(record.headers == events::headers{{"ce_id", "1"}, {"b", "é"}});
}

TEST_CASE("values in text form are read, NULL is a tombstone, empty is not", "[outbox]") {
    const std::string json = "{}";
    const auto value_of = [&](const std::string& value) {
        return row(usual_columns,
                   {text_value("7"), text_value("t"), text_value("k"), text_value(json), value})
            .value()
            .value()
            .record.value;
    };
    CHECK(value_of(text_value("\\x00ff")) == "\x00\xff"s);
    CHECK(value_of("n") == std::nullopt);
    CHECK(value_of(binary_value("")) == "");
}

TEST_CASE("unreadable rows are errors, other tables are not ours", "[outbox]") {
    const auto text = text_value("x");
    CHECK_FALSE(row({"topic", "key", "headers"}, {text, text, text_value("{}")}));
    CHECK_FALSE(row(usual_columns, {text_value("7"), text, "n", text_value("{}"), "n"}));
    CHECK_FALSE(row(usual_columns, {text_value("7"), text, text, text_value("[]"), "n"}));
    CHECK_FALSE(row(usual_columns, {text_value("7"), text, text, text_value(R"({"a":1})"), "n"}));
    CHECK_FALSE(
        row(usual_columns, {text_value("7"), text, text, text_value("{}"), text_value("zz")}));
    CHECK_FALSE(row(usual_columns, {text_value("7"), text, text}));
    const event_rows rows;
    const auto message = insert_message({text});
    const auto read = rows.read(std::get<pgoutput::insert>(pgoutput::decode(message).value()));
    REQUIRE(read);
    CHECK_FALSE(*read);
}

TEST_CASE("server messages and status updates follow the protocol", "[outbox]") {
    const auto data = "w" + be(1, 8) + be(2, 8) + be(3, 8) + "payload";
    CHECK(std::get<wal_data>(decode_server_message(data).value()).payload == "payload");
    const auto alive = "k" + be(0x2a, 8) + be(0, 8) + "\1";
    CHECK(std::get<keepalive>(decode_server_message(alive).value()).wal_end == 0x2a);
    CHECK(std::get<keepalive>(decode_server_message(alive).value()).reply_requested);
    for (const auto& bad : {""s, "w"s, "k123"s, "x12345678"s, data.substr(0, 24)}) {
        CHECK_FALSE(decode_server_message(bad));
    }
    const timestamp now{std::chrono::seconds(946'684'801)};
    CHECK(encode_status(5, now, true) ==
          "r" + be(5, 8) + be(5, 8) + be(5, 8) + be(1'000'000, 8) + "\1");
    CHECK(from_server_time(to_server_time(now)) == now);
}

TEST_CASE("positions are written as PostgreSQL writes them", "[outbox]") {
    CHECK(to_text(0x16'B374D848) == "16/B374D848");
    CHECK(to_text(0) == "0/0");
    CHECK(parse_lsn("16/B374D848") == lsn{0x16'B374D848});
    for (const auto* bad : {"", "16", "/", "1/g", "100000000/0"}) {
        CHECK_FALSE(parse_lsn(bad));
    }
}
