#include "tests/lib/school_texts.h"

#include "tests/lib/school_topics.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define COUNT(table) ((unsigned)(sizeof(table) / sizeof((table)[0])))

enum { HOMEWORKS = 6 };

/* {p} page or paragraph, {q} one soon after, {a} {b} numbers alike, {k} 3 to 5, {t} the lesson's
 * topic. */
struct homeworks {
    const char *ordinary[HOMEWORKS];
    const char *before_work;
};

// clang-format off
static const struct homeworks homeworks_any = {
    {"§ {p}, пересказ; заполнить таблицу в тетради", "Стр. {p}–{q}, читать, отвечать на вопросы 1–{k}", "Стр. {p}, задание {k}; выучить слова в рамке", "§ {p}, вопросы 1–{k} устно, 6 письменно", "§ {p}, выучить определения; задание {k} в рабочей тетради", "§ {p}–{q} повторить; подготовить сообщение (до {k} минут), найти ещё один пример из жизни нашего края и записать его"},
    "Подготовиться к контрольной работе по теме «{t}»"};
static const struct homeworks homeworks_language = {
    {"§ {p}, упр. {a}", "Выучить правило на стр. {p}, упр. {a} (письменно)", "§ {p}, упр. {a}, {b} (разбор слов)", "§ {p}–{q} повторить, упр. {a}", "§ {p}, упр. {a}: списать, вставить пропущенные буквы", "Упр. {a}: выписать слова с буквой ё, составить не менее {k} предложений"},
    "Подготовиться к письменной работе по теме «{t}», повторить § {p}–{q}"};
static const struct homeworks homeworks_literature = {
    {"Выучить наизусть стихотворение (по выбору)", "Стр. {p}–{q}, читать, отвечать на вопросы 1–{k}", "Дочитать до главы {k}, пересказ эпизода", "Сочинение «{t}», 1–2 страницы", "Стр. {p}–{q}, читать по ролям", "Выписать не менее {k} цитат, характеризующих героя"},
    "Подготовиться к письменной работе по теме «{t}»"};
static const struct homeworks homeworks_mathematics = {
    {"№ {a}, № {b}", "№ {a}, № {b}; повторить § {p}", "§ {p}, задачи № {a}–{b}, оформить решение с пояснениями", "П. {k}, № {a} (а, б, в), № {b} (1, 3)", "Выучить формулы на стр. {p}, № {a}", "§ {p}, вопросы 1–{k}, № {a}"},
    "Подготовиться к контрольной работе по теме «{t}»"};
static const struct homeworks homeworks_first_reading = {
    {"Стр. {p}–{q}, читать выразительно", "Стр. {p}–{q}, пересказ", "Выучить наизусть стихотворение (по выбору)", "Стр. {p}, ответить на вопросы 1–{k}", "Стр. {p}–{q}, читать по ролям", "Стр. {p}, нарисовать рисунок к тексту"},
    "Подготовиться к проверке техники чтения"};
static const struct homeworks homeworks_first_mathematics = {
    {"Стр. {p}, № {k}", "Стр. {p}, № {k} и задача под чертой", "Стр. {p}, № {k} (1, 2), № 7", "Карточка № {k}", "Рабочая тетрадь, стр. {p}–{q}", "Стр. {p}, № {k}; повторить сложение и вычитание столбиком"},
    "Подготовиться к контрольной работе по теме «{t}»"};

static const char *const comments[] = {"Не подготовлен к уроку", "Активно работал(а) на уроке, молодец!", "Забыл(а) тетрадь", "Прошу обратить внимание на почерк и аккуратность", "Не сдал(а) работу, срок до пятницы", "Опоздал(а) на 10 минут", "Отличный ответ у доски", "Отвлекается, прошу побеседовать дома"};
static const char *const messages[] = {"Уважаемые родители! Родительское собрание состоится в пятницу в 17:{k}0, кабинет {a}.", "Уважаемые родители! Завтра класс идёт в музей, сбор в 9:{k}0 у входа в школу. Нужна вода и сменная обувь.", "Прошу проверить дневник за неделю и расписаться.", "Напоминаю: до {k} числа нужно сдать согласие на экскурсию «Башни Аргуна».", "Завтра уроков физкультуры на улице не будет, форма для зала."};
// clang-format on

/* ---- topics ---- */

/* How far the plan is with the lesson: its topic, and how many lessons of that went before. What is
 * checked by a work on a topic's first day is the topic before. */
static unsigned place(const struct text_lesson *lesson, unsigned *before)
{
    assert((unsigned)lesson->subject < SUBJECT_COUNT && lesson->number >= 1 && lesson->total >= 1);
    unsigned n = (lesson->number - 1) % lesson->total;
    unsigned topic = n * SCHOOL_TOPICS / lesson->total;
    unsigned first = (topic * lesson->total + SCHOOL_TOPICS - 1) / SCHOOL_TOPICS;
    *before = n - first;
    return lesson->work && n == first && topic > 0 ? topic - 1 : topic;
}

static const char *topic_of(const struct text_lesson *lesson)
{
    unsigned before;
    unsigned topic = place(lesson, &before);
    return school_topic(lesson->subject, lesson->grade, topic);
}

/* What is practised. */
static const char *practice(enum school_subject subject)
{
    switch (curriculum_subject(subject)->department) {
    case DEPARTMENT_MATHEMATICS:
    case DEPARTMENT_PHYSICS:
        return ". Решение задач";
    case DEPARTMENT_RUSSIAN:
    case DEPARTMENT_NATIVE:
    case DEPARTMENT_ENGLISH:
    case DEPARTMENT_SOCIETY:
        return ". Работа с текстом";
    case DEPARTMENT_NATURE:
    case DEPARTMENT_ARTS:
    case DEPARTMENT_CRAFT:
    case DEPARTMENT_SPORT:
    case DEPARTMENT_PRIMARY:
        break;
    }
    return ". Практическая работа";
}

/* A topic is taken up, learnt, and repeated before it is checked. */
static const char *aspect_of(const struct text_lesson *lesson)
{
    const char *const cycle[] = {
        ". Изучение нового", ". Закрепление", practice(lesson->subject), ". Повторение"};
    unsigned before;
    (void)place(lesson, &before);
    if (lesson->work) {
        return ". Контроль знаний";
    }
    if (lesson->work_next) {
        return ". Обобщение и систематизация знаний";
    }
    return before == 0 ? "" : cycle[(before - 1) % COUNT(cycle)];
}

void text_topic(const struct text_lesson *lesson, char *out)
{
    (void)snprintf(out, TEXT_SIZE, "%s%s", topic_of(lesson), aspect_of(lesson));
}

/* As it stands within «»: its own become „“. */
static void quote(const char *topic, char *out)
{
    static const struct {
        const char *from, *to;
    } marks[] = {{"«", "„"}, {"»", "“"}};
    size_t used = 0;
    while (*topic != '\0') {
        const char *put = NULL;
        for (unsigned i = 0; i < COUNT(marks) && put == NULL; i++) {
            size_t size = strlen(marks[i].from);
            if (strncmp(topic, marks[i].from, size) == 0) {
                put = marks[i].to;
                topic += size;
            }
        }
        size_t size = put == NULL ? 1 : strlen(put);
        assert(used + size < TEXT_SIZE);
        memcpy(out + used, put == NULL ? topic++ : put, size);
        used += size;
    }
    out[used] = '\0';
}

void text_work_title(const struct text_lesson *lesson, unsigned number, char *out)
{
    char topic[TEXT_SIZE];
    quote(topic_of(lesson), topic);
    assert(strlen(topic) + 20 < TEXT_SIZE);
    (void)snprintf(out, TEXT_SIZE, "№ %u. %.*s", number, TEXT_SIZE - 20, topic);
}

/* ---- homework ---- */

static const struct homeworks *homeworks_of(const struct text_lesson *lesson)
{
    bool first = lesson->grade <= 4;
    switch (curriculum_subject(lesson->subject)->department) {
    case DEPARTMENT_MATHEMATICS:
        return first ? &homeworks_first_mathematics : &homeworks_mathematics;
    case DEPARTMENT_RUSSIAN:
    case DEPARTMENT_NATIVE:
        if (lesson->subject == SUBJECT_RUSSIAN || lesson->subject == SUBJECT_NATIVE) {
            return &homeworks_language;
        }
        return first ? &homeworks_first_reading : &homeworks_literature;
    case DEPARTMENT_ENGLISH:
    case DEPARTMENT_SOCIETY:
    case DEPARTMENT_NATURE:
    case DEPARTMENT_PHYSICS:
    case DEPARTMENT_ARTS:
    case DEPARTMENT_CRAFT:
    case DEPARTMENT_SPORT:
    case DEPARTMENT_PRIMARY:
        break;
    }
    return &homeworks_any;
}

/* last is the number before, which {q} and {b} follow. */
static unsigned draw_number(struct random_stream *stream, char placeholder, unsigned last)
{
    switch (placeholder) {
    case 'p':
        return draw_between(stream, 3, 99);
    case 'q':
        return last + draw_between(stream, 1, 4);
    case 'a':
        return draw_between(stream, 10, 890);
    case 'b':
        return last + draw_between(stream, 1, 9);
    default:
        return draw_between(stream, 3, 5);
    }
}

/* Every placeholder is three bytes. */
static void expand(struct random_stream *stream, const char *template, const char *topic, char *out)
{
    size_t used = 0;
    unsigned number = 0;
    for (const char *from = template; *from != '\0';) {
        const char *brace = strchr(from, '{');
        size_t plain = brace == NULL ? strlen(from) : (size_t)(brace - from);
        assert(used + plain + strlen(topic) + 12 < TEXT_SIZE);
        memcpy(out + used, from, plain);
        used += plain;
        from += plain;
        if (brace == NULL) {
            break;
        }
        int written;
        if (brace[1] == 't') {
            written = snprintf(out + used, TEXT_SIZE - used, "%s", topic);
        } else {
            number = draw_number(stream, brace[1], number);
            written = snprintf(out + used, TEXT_SIZE - used, "%u", number);
        }
        assert(written > 0);
        used += (size_t)written;
        from += 3;
    }
    out[used] = '\0';
}

/* What breaks front ends: four-byte letters, quotes, line breaks. */
static void append_oddity(struct random_stream *stream, char *out)
{
    static const char *const oddities[] = {" 🙂📚", "\n1) \"а\";\n2) 'б'; \\ и / тоже",
        " — принести «Тетрадь \"А\"» 👩‍🏫"};
    const char *oddity = oddities[draw_below(stream, COUNT(oddities))];
    size_t used = strlen(out);
    assert(used + strlen(oddity) < TEXT_SIZE);
    memcpy(out + used, oddity, strlen(oddity) + 1);
}

void text_homework(struct random_stream *stream, const struct text_lesson *lesson, char *out)
{
    const struct homeworks *homeworks = homeworks_of(lesson);
    unsigned n = draw_below(stream, HOMEWORKS);
    char topic[TEXT_SIZE];
    quote(topic_of(lesson), topic);
    expand(stream, lesson->work_next ? homeworks->before_work : homeworks->ordinary[n], topic, out);
    if (draw_chance(stream, 1)) {
        append_oddity(stream, out);
    }
}

void text_homework_longest(char *out)
{
    static const char line[] = "Повторить всё, что пройдено: правило, пример, упражнение.\n";
    size_t size = sizeof(line) - 1;
    size_t used = 0;
    for (; used + size < TEXT_SIZE; used += size) {
        memcpy(out + used, line, size);
    }
    memset(out + used, '.', TEXT_SIZE - 1 - used);
    out[TEXT_SIZE - 1] = '\0';
}

const char *text_comment(struct random_stream *stream)
{
    return comments[draw_below(stream, COUNT(comments))];
}

void text_message(struct random_stream *stream, char *out)
{
    expand(stream, messages[draw_below(stream, COUNT(messages))], "", out);
}
